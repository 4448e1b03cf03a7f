import numpy as np
import pytest

from stages.painting.rarity import rarity_table

# Four bins, too far apart for the smoothing to reach from one to another; the training images lack the last.
BINS = np.array([[-100.0, 0.0], [0.0, 0.0], [0.0, 100.0], [100.0, 0.0]], dtype=np.float32)
PRIOR = np.array([0.1, 0.7, 0.2, 0.0])


def test_a_pixel_weighs_the_inverse_of_its_colors_share():
    table = rarity_table(BINS, PRIOR)
    weights = np.array([table[a + 128, b + 128] for a, b in ((-95, 3), (4, -8), (-20, 90))])
    assert weights * PRIOR[:3] == pytest.approx(np.full(3, 1 / 3), rel=5e-3)


def test_a_color_that_training_lacks_has_a_weight_and_bounds():
    table = rarity_table(BINS, PRIOR)
    assert np.isfinite(table).all()
    # As if it had one in ten thousand of a quarter of the pixels.
    assert table[128 + 90, 128] * 0.0001 / 4 == pytest.approx(1 / 3, rel=5e-3)


def test_colors_that_are_alike_share_their_rarity():
    bins = np.array([[0.0, 0.0], [10.0, 0.0], [100.0, 0.0]], dtype=np.float32)
    table = rarity_table(bins, np.array([0.5, 0.0, 0.5]))
    near, far = table[128 + 10, 128], table[128, 128]
    # Two standard deviations apart: the neighbour gets e^-2 of what the bin itself keeps.
    assert near / far == pytest.approx(np.exp(2), rel=0.01)
