"""The palette: square bins of the ab plane that hold a colour of sRGB (Zhang 2016, section 2.1).

Size 20 gives 77 bins, 10 gives 262, 5 gives 972. At 10 the paper has 313. Its published list, pts_in_hull.npy, holds
all of these 262; none of the bins around its other 51 holds a colour of sRGB at any lightness. The lattice points
within 10, in a and in b, of a colour of sRGB are 309, and all of them are in the paper's list; so it seems to take
every corner of each lattice square that sRGB reaches. Where its last four come from, (40, 90), (100, -90), (100, -10)
and (100, 0), up to 13 away, could not be established: the whites D50 and E, and tolerances in the test for sRGB, do not
give just these. Of the 262 one, (20, -80), holds no colour of 8-bit sRGB.
"""

import numpy as np

from stages.color.lab import rgb_to_lab

# Converged: faces of 2001 x 2001 colours beside these edges add no bin at any of fifteen sizes from 2 to 50. Faces
# alone converge slowly: of the bin (20, -80) sRGB reaches a sliver that 256 colours an edge step over.
FACE_STEPS, EDGE_STEPS = 128, 65536
CHUNK = 2**22


def gamut_bins(size: float) -> np.ndarray:
    """Centres of the bins that hold a colour of sRGB at some lightness.

    A colour's a and b are continuous in its red, green and blue, so what the cube reaches in the ab plane lies
    within what its surface reaches: sampled are its faces and, densely, the six edges from red over yellow, green,
    cyan, blue and magenta back to red, on which the outline lies.

    Args:
        size: of a bin along a and b, in units of ab, at least 2.

    Returns:
        (Q, 2) float32: a and b, multiples of `size`, sorted by a, then by b.

    >>> gamut_bins(50.0)[:3]
    array([[-100.,   50.],
           [-100.,  100.],
           [ -50.,  -50.]], dtype=float32)
    """
    middle = int(np.ceil(128 / size))
    in_gamut = np.zeros((2 * middle + 1, 2 * middle + 1), dtype=bool)
    for ab in (_faces(), _outline()):
        a, b = np.rint(ab / size).astype(np.int64) + middle
        in_gamut[a, b] = True
    return ((np.argwhere(in_gamut) - middle) * size).astype(np.float32)


def nearest_bins(ab: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Index of the bin with the nearest centre; of equally near ones, the first.

    Args:
        ab: (..., 2) a and b in units of Lab.
        bins: (Q, 2) centres.

    Returns:
        (...) int64, 0..Q-1.

    >>> nearest_bins(np.array([[4.0, 0.0], [5.0, 0.0], [90.0, 0.0]]), np.array([[0.0, 0.0], [10.0, 0.0]]))
    array([0, 0, 1])
    """
    points, bins = ab.reshape(-1, 2).astype(np.float64), bins.astype(np.float64)
    nearest = np.empty(len(points), dtype=np.int64)
    rows = max(1, CHUNK // len(bins))
    for start in range(0, len(points), rows):
        a, b = points[start : start + rows].T
        distance = (a[:, None] - bins[:, 0]) ** 2
        distance += (b[:, None] - bins[:, 1]) ** 2
        nearest[start : start + rows] = distance.argmin(axis=1)
    return nearest.reshape(ab.shape[:-1])


def bins_of_ab8(bins: np.ndarray) -> np.ndarray:
    """The nearest bin of every colour that 8 bits can store: table[a + 128, b + 128].

    Args:
        bins: (Q, 2) centres.

    Returns:
        (256, 256) int64, 0..Q-1, for `table[lab8[:, 1], lab8[:, 2]]`.
    """
    codes = np.arange(256) - 128
    return nearest_bins(np.stack(np.meshgrid(codes, codes, indexing="ij"), axis=-1), bins)


def lattice(bins: np.ndarray) -> tuple[float, np.ndarray]:
    """The square lattice that bins lie on, and the nearest bin of each of its points within -128..128.

    Args:
        bins: (Q, 2) centres at multiples of a size, at least two of them.

    Returns:
        The size, in units of ab, and (K, K) int64, 0..Q-1: at [i, j] the bin nearest to (i - K // 2, j - K // 2) times
        the size.

    >>> lattice(np.array([[-100.0, 0.0], [0.0, 0.0], [0.0, 100.0]]))
    (100.0, array([[0, 0, 0, 2, 2],
           [0, 0, 0, 2, 2],
           [0, 0, 1, 2, 2],
           [1, 1, 1, 2, 2],
           [1, 1, 1, 2, 2]]))
    """
    size = float(min(np.diff(np.unique(axis)).min() for axis in bins.T if len(np.unique(axis)) > 1))
    middle = int(np.ceil(128 / size))
    steps = size * (np.arange(2 * middle + 1) - middle)
    return size, nearest_bins(np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1), bins)


def _faces() -> np.ndarray:
    """(2, M) a and b over the six faces of the RGB cube."""
    steps = np.linspace(0, 1, FACE_STEPS + 1)
    first, second = np.meshgrid(steps, steps)
    ends = [np.zeros_like(first), np.ones_like(first)]
    faces = [np.roll((end, first, second), channel, axis=0) for channel in range(3) for end in ends]
    return rgb_to_lab(np.concatenate(faces, axis=1))[1:].reshape(2, -1)


def _outline() -> np.ndarray:
    """(2, M) a and b along the six edges of the RGB cube that touch neither black nor white."""
    steps = np.linspace(0, 1, EDGE_STEPS + 1)
    low, high = np.zeros_like(steps), np.ones_like(steps)
    edges = [
        np.roll(edge, channel, axis=0) for channel in range(3) for edge in ((high, steps, low), (low, steps, high))
    ]
    return rgb_to_lab(np.stack(edges, axis=1))[1:].reshape(2, -1)
