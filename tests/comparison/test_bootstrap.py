import numpy as np
import pytest
from scipy import stats

from stages.comparison import bootstrap
from stages.comparison.bootstrap import percentile_interval, resampled_means


def interval(values, *, resamples=2000, seed=0):
    return percentile_interval(resampled_means(values, resamples=resamples, seed=seed))


def test_a_constant_difference_has_an_interval_of_no_width():
    first = np.random.default_rng(0).integers(0, 2, 200) / 2
    drawn = resampled_means(np.stack((first + 0.25, first), axis=1), resamples=500, seed=0)
    low, high = percentile_interval(drawn[:, 0] - drawn[:, 1])
    assert low == pytest.approx(0.25) and high == pytest.approx(0.25)
    assert np.ptp(drawn[:, 0]) > 0


def test_a_column_of_one_value_has_that_value_for_every_mean():
    assert (resampled_means(np.full((37, 1), 0.1), resamples=100, seed=0) == 0.1).all()


def test_it_agrees_with_scipy_s_bootstrap():
    values = np.random.default_rng(0).gamma(2.0, size=80)
    reference = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    )
    low, high = interval(values[:, None], resamples=20_000)[:, 0]
    width = reference.confidence_interval.high - reference.confidence_interval.low
    assert low == pytest.approx(reference.confidence_interval.low, abs=0.03 * width)
    assert high == pytest.approx(reference.confidence_interval.high, abs=0.03 * width)


def test_resampled_means_are_centred_and_as_wide_as_the_standard_error():
    values = np.random.default_rng(0).normal(size=(400, 2))
    drawn = resampled_means(values, resamples=5000, seed=0)
    np.testing.assert_allclose(drawn.mean(axis=0), values.mean(axis=0), atol=0.005)
    np.testing.assert_allclose(drawn.std(axis=0), values.std(axis=0) / 20, rtol=0.05)


def test_about_95_of_100_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    samples = rng.random((200, 400)) < 0.3  # 400 studies of 200 images, as columns
    low, high = interval(samples.astype(float), resamples=1000)
    covered = ((low <= 0.3) & (high >= 0.3)).mean()
    assert 0.92 <= covered <= 0.975


def test_pairing_narrows_the_interval_of_a_difference():
    rng = np.random.default_rng(0)
    difficulty = rng.random(500)
    first, second = (
        (difficulty < 0.6).astype(float),
        (difficulty + 0.05 * rng.random(500) < 0.6).astype(float),
    )
    paired = resampled_means(np.stack((first, second), axis=1), resamples=2000, seed=0)
    alone = [resampled_means(v[:, None], resamples=2000, seed=s)[:, 0] for s, v in ((1, first), (2, second))]
    low, high = percentile_interval(paired[:, 0] - paired[:, 1])
    unpaired_low, unpaired_high = percentile_interval(alone[0] - alone[1])
    assert high - low < 0.5 * (unpaired_high - unpaired_low)


def test_columns_share_their_resamples_and_chunks_do_not_show(monkeypatch):
    values = np.random.default_rng(0).random((50, 3))
    whole = resampled_means(values, resamples=100, seed=[0, 1])
    np.testing.assert_allclose(resampled_means(values[:, 1:], resamples=100, seed=[0, 1]), whole[:, 1:])
    monkeypatch.setattr(bootstrap, "CHUNK_DRAWS", 333)
    np.testing.assert_allclose(resampled_means(values, resamples=100, seed=[0, 1]), whole)


def test_nothing_to_resample_is_refused():
    with pytest.raises(ValueError, match=r"N >= 1; got \(0, 2\)"):
        resampled_means(np.zeros((0, 2)), resamples=100, seed=0)
