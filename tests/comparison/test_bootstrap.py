import numpy as np
import pytest
from scipy import stats

from stages.comparison import bootstrap
from stages.comparison.bootstrap import resampled_means, two_stage_means


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


def test_two_stages_agree_with_a_brute_force_version_where_classes_differ_in_size():
    rng = np.random.default_rng(0)
    classes, counts = np.repeat(["tart", "soup", "pie"], [9, 4, 6]), rng.integers(0, 4, (19, 2))
    shuffled = rng.permutation(19)
    drawn = two_stage_means(counts[shuffled], classes[shuffled], resamples=4000, seed=0)
    reference = []
    for _ in range(4000):
        images = [np.flatnonzero(classes == name) for name in rng.choice(["tart", "soup", "pie"], 3)]
        resampled = np.concatenate([rng.choice(rows, len(rows)) for rows in images])
        reference.append([counts[rows].mean(axis=0) for rows in (np.concatenate(images), resampled)])
    for stage, expected in zip(drawn, np.swapaxes(reference, 0, 1), strict=True):
        np.testing.assert_allclose(stage.mean(axis=0), expected.mean(axis=0), atol=0.02)
        np.testing.assert_allclose(np.cov(stage.T), np.cov(expected.T), rtol=0.1, atol=0.005)


def test_two_stages_have_the_known_variance():
    # Classes of 2 images with right answers (0, 0), (0, 1), (1, 1), (1, 1): means 0, 1/2, 1, 1, of variance 11/64 (over
    # 4): 11/256 after the first stage. Within the second class the variance is 1/4 (over 2), on average 1/16, over 8
    # images 1/128.
    counts, classes = np.array([[0, 0, 0, 1, 1, 1, 1, 1]]).T, np.repeat(range(4), 2)
    by_class, both = two_stage_means(counts, classes, resamples=20_000, seed=0)
    assert by_class.var() == pytest.approx(11 / 256, rel=0.04)
    assert both.var() == pytest.approx(11 / 256 + 1 / 128, rel=0.04)
    assert (both - by_class).var() == pytest.approx(1 / 128, rel=0.04)


def test_two_stages_share_their_resamples_and_neither_chunks_nor_precision_show(monkeypatch):
    counts, classes = np.random.default_rng(0).integers(0, 4, (50, 3)), np.arange(50) % 7
    whole = two_stage_means(counts, classes, resamples=100, seed=[0, 1])
    monkeypatch.setattr(bootstrap, "CHUNK_DRAWS", 333)
    monkeypatch.setattr(bootstrap, "EXACT", 0)  # float64
    for stage, other in zip(whole, two_stage_means(counts[:, 1:], classes, resamples=100, seed=[0, 1]), strict=True):
        np.testing.assert_array_equal(stage[:, 1:], other)


def test_classes_of_other_images_are_refused():
    with pytest.raises(ValueError, match=r"classes must be one an image, \(3,\); got \(2,\)"):
        two_stage_means(np.ones((3, 1), int), np.zeros(2), resamples=100, seed=0)
