import numpy as np
import pytest

from stages.color.lab import decode_lab8
from stages.palette import prior as prior_module
from stages.palette.bins import gamut_bins, nearest_bins
from stages.palette.prior import ab_histogram, mean_ab_by_lightness, rebalancing_weights, smoothed_prior

BINS = np.array([[0, 0], [0, 10], [0, 20]], dtype=np.float32)
# A Gaussian that is 1/2 at a distance of 10 and 1/16 at 20.
HALVING = 10 / np.sqrt(2 * np.log(2))


def lab8(*pixels):
    """(1, 3, 2, 2) of four (L, a, b), as stored."""
    return np.array(pixels, dtype=np.uint8).T.reshape(1, 3, 2, 2)


def test_shares_by_hand():
    # b of 4, 6, -50 and 127: the first bin, the second, the first, the last.
    image = lab8((0, 128, 132), (0, 128, 134), (9, 128, 78), (9, 128, 255))
    assert ab_histogram(image, BINS).tolist() == [0.5, 0.25, 0.25]


def test_a_bin_without_pixels_has_the_share_zero():
    assert ab_histogram(lab8(*[(0, 128, 128)] * 4), BINS).tolist() == [1, 0, 0]


def test_shares_are_those_of_counting_pixel_by_pixel_in_chunks_of_any_size(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 8, 8), dtype=np.uint8)
    bins = gamut_bins(20.0)
    numbers = nearest_bins(np.moveaxis(decode_lab8(images)[:, 1:], 1, -1), bins)
    expected = np.array([(numbers == number).mean() for number in range(len(bins))])
    for pixels in (1, 3 * 64, 2**20):
        monkeypatch.setattr(prior_module, "PIXELS_AT_ONCE", pixels)
        assert (ab_histogram(images, bins) == expected).all()


def test_mean_ab_by_lightness_by_hand():
    image = lab8((10, 128, 138), (10, 148, 128), (20, 108, 128), (20, 108, 131))
    pixels, ab = mean_ab_by_lightness(image)
    assert pixels.sum() == 4
    assert pixels[[10, 20]].tolist() == [2, 2]
    assert ab[10].tolist() == [10, 5]
    assert ab[20].tolist() == [-20, 1.5]
    # Between them a straight line, beyond them the nearest.
    assert ab[15].tolist() == [-5, 3.25]
    assert ab[0].tolist() == [10, 5]
    assert ab[255].tolist() == [-20, 1.5]


@pytest.mark.parametrize(
    ("prior", "expected"),
    # Of the first bin 1 : 1/2 : 1/16, of the second 1/2 : 1 : 1/2; half of each is their mean.
    [
        ([1, 0, 0], np.array([16, 8, 1]) / 25),
        ([0, 1, 0], np.array([1, 2, 1]) / 4),
        ([0.5, 0.5, 0], (np.array([16, 8, 1]) / 25 + np.array([1, 2, 1]) / 4) / 2),
    ],
)
def test_smoothing_by_hand(prior, expected):
    np.testing.assert_allclose(smoothed_prior(BINS, np.array(prior, dtype=float), HALVING), expected)


def test_smoothing_on_the_palette_is_the_gaussian_between_all_pairs_of_bins():
    bins = gamut_bins(20.0)
    prior = np.random.default_rng(0).dirichlet(np.ones(len(bins)))
    squared = ((bins[:, None] - bins) ** 2).sum(axis=2)
    spread = np.exp(-squared / (2 * 9.0**2))
    smoothed = smoothed_prior(bins, prior, 9.0)
    np.testing.assert_allclose(smoothed, spread / spread.sum(axis=0) @ prior, rtol=1e-6)
    assert smoothed.sum() == pytest.approx(1)


def test_weights_by_hand():
    # lambda 1/2 and Q 3: (p + 1/3) / 2 is 1/2, 1/3, 1/6, its inverse 2, 3, 6; sum p w = 4/3 + 1 + 0 = 7/3.
    weights = rebalancing_weights(np.array([2 / 3, 1 / 3, 0]), mix=0.5)
    np.testing.assert_allclose(weights, np.array([2, 3, 6]) * 3 / 7)


def test_without_rebalancing_all_weights_are_one_and_else_the_mean_weight_is():
    prior = np.array([0.7, 0.2, 0.1])
    assert rebalancing_weights(prior, mix=1.0) == pytest.approx(np.ones(3))
    for mix in (0.01, 0.5, 0.9):
        weights = rebalancing_weights(prior, mix)
        assert prior @ weights == pytest.approx(1)
        assert (np.diff(weights) > 0).all()
