import numpy as np
import pytest
from scipy import stats

from stages.comparison import bootstrap
from stages.comparison.bootstrap import resampled_means


def test_a_constant_difference_is_the_same_in_every_resample():
    first = np.random.default_rng(0).integers(0, 3, 200)
    drawn = resampled_means(np.stack((first + 1, first), axis=1), resamples=500, seed=0)
    np.testing.assert_allclose(drawn[:, 0] - drawn[:, 1], 1, rtol=1e-12)
    assert np.ptp(drawn[:, 0]) > 0


def test_a_column_of_one_value_has_that_value_for_every_mean():
    assert (resampled_means(np.full((37, 1), 3), resamples=100, seed=0) == 3).all()


def test_it_agrees_with_scipy_s_bootstrap():
    values = np.random.default_rng(0).poisson(3.0, size=80)
    reference = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    )
    low, high = np.quantile(resampled_means(values[:, None], resamples=20_000, seed=0), (0.025, 0.975))
    width = reference.confidence_interval.high - reference.confidence_interval.low
    assert low == pytest.approx(reference.confidence_interval.low, abs=0.03 * width)
    assert high == pytest.approx(reference.confidence_interval.high, abs=0.03 * width)


def test_resampled_means_are_centred_and_as_wide_as_the_standard_error():
    values = np.random.default_rng(0).integers(0, 6, size=(400, 2))
    drawn = resampled_means(values, resamples=5000, seed=0)
    np.testing.assert_allclose(drawn.mean(axis=0), values.mean(axis=0), atol=0.005)
    np.testing.assert_allclose(drawn.std(axis=0), values.std(axis=0) / 20, rtol=0.05)


def test_pairing_narrows_a_difference():
    rng = np.random.default_rng(0)
    difficulty = rng.random(500)
    first, second = (difficulty < 0.6).astype(int), (difficulty + 0.05 * rng.random(500) < 0.6).astype(int)
    paired = resampled_means(np.stack((first, second), axis=1), resamples=2000, seed=0)
    alone = [resampled_means(v[:, None], resamples=2000, seed=s)[:, 0] for s, v in ((1, first), (2, second))]
    assert (paired[:, 0] - paired[:, 1]).std() < 0.5 * (alone[0] - alone[1]).std()


def test_columns_share_their_resamples_and_neither_others_nor_chunks_nor_precision_show(monkeypatch):
    counts = np.random.default_rng(0).integers(0, 4, (50, 3))
    whole = resampled_means(counts, resamples=100, seed=[0, 1])
    np.testing.assert_array_equal(resampled_means(counts[:, 1:], resamples=100, seed=[0, 1]), whole[:, 1:])
    monkeypatch.setattr(bootstrap, "CHUNK_DRAWS", 333)
    np.testing.assert_array_equal(resampled_means(counts, resamples=100, seed=[0, 1]), whole)
    monkeypatch.setattr(bootstrap, "EXACT", 0)  # float64
    np.testing.assert_array_equal(resampled_means(counts, resamples=100, seed=[0, 1]), whole)


@pytest.mark.parametrize("counts", [np.zeros((0, 2), int), np.zeros((3, 2)), np.full((3, 2), -1), np.zeros(3, int)])
def test_what_is_no_table_of_counts_is_refused(counts):
    with pytest.raises(ValueError, match="whole numbers from 0"):
        resampled_means(counts, resamples=100, seed=0)
