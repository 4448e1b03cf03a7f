import numpy as np
import pytest
from skimage.color import rgb2lab

from stages.palette.bins import bins_of_ab8, gamut_bins, nearest_bins

# The 313 centres that Zhang 2016 classifies by, for each a the first and the last b, as published in pts_in_hull.npy.
PAPER = {
    **{-90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100)},
    **{-30: (-50, 100), -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90)},
    **{30: (-90, 90), 40: (-100, 90), 50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70)},
    **{90: (-110, 70), 100: (-90, 0)},
}


def centres(bins):
    return {(float(a), float(b)) for a, b in bins}


def reached(rgb, size):
    """The bins of (..., 3) sRGB colours in 0..1 by scikit-image's conversion."""
    a, b = np.rint(rgb2lab(rgb)[..., 1:].reshape(-1, 2) / size).astype(int).T
    numbers = np.unique(1000 * a + b + 500)
    return {(float(number // 1000 * size), float((number % 1000 - 500) * size)) for number in numbers}


def surface(steps):
    """(6, steps, steps, 3): the faces of the RGB cube."""
    end, first, second = np.meshgrid([0.0, 1.0], *[np.linspace(0, 1, steps)] * 2, indexing="ij")
    face = np.stack((end, first, second), axis=-1)
    return np.concatenate([np.roll(face, channel, axis=-1) for channel in range(3)])


@pytest.mark.parametrize(("size", "count"), [(5.0, 972), (10.0, 262), (20.0, 77)])
def test_counts_and_order(size, count):
    bins = gamut_bins(size)
    assert bins.shape == (count, 2)
    assert bins.dtype == np.float32
    assert [tuple(row) for row in bins] == sorted(centres(bins))
    assert (np.rint(bins / size) * size == bins).all()


def test_finer_faces_reach_the_same_bins():
    assert reached(surface(385), 10.0) == centres(gamut_bins(10.0))


def test_the_inside_of_the_cube_reaches_no_other_bin():
    cube = np.stack(np.meshgrid(*[np.arange(0, 256, 5) / 255] * 3), axis=-1).reshape(1, -1, 3)
    assert reached(cube, 5.0) <= centres(gamut_bins(5.0))


def test_eight_bits_miss_one_bin_of_size_ten():
    assert centres(gamut_bins(10.0)) - reached(surface(256), 10.0) == {(20.0, -80.0)}


def test_the_papers_313_bins_hold_all_of_ours():
    paper = {(float(a), float(b)) for a, (first, last) in PAPER.items() for b in range(first, last + 1, 10)}
    assert len(paper) == 313
    assert centres(gamut_bins(10.0)) < paper


def test_nearest_bin_by_hand():
    bins = np.array([[0, 0], [0, 10], [10, 0]], dtype=np.float32)
    ab = np.array([[[1, 2], [4, 6], [6, 4]], [[5, 5], [90, 3], [-40, -50]]])
    assert nearest_bins(ab, bins).tolist() == [[0, 1, 2], [0, 2, 0]]


def test_a_color_in_gamut_falls_into_its_own_square_and_any_other_into_the_nearest():
    bins = gamut_bins(10.0)
    table = bins_of_ab8(bins)
    a, b = np.meshgrid(np.arange(0, 256, 5), np.arange(0, 256, 5), indexing="ij")
    distance = np.hypot((a - 128)[..., None] - bins[:, 0], (b - 128)[..., None] - bins[:, 1])
    np.testing.assert_allclose(
        distance.min(axis=2), np.take_along_axis(distance, table[a, b][..., None], axis=2)[..., 0]
    )
    assert bins[table[128 + 23, 128 - 18]].tolist() == [20, -20]
    assert bins[table[0, 0]].tolist() == [-40, -30]
