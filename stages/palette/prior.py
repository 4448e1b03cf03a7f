"""The prior of colours, smoothed, and the weights that rebalance them (Zhang 2016, section 2.2)."""

from collections.abc import Iterator

import numpy as np

from stages.palette.bins import bins_of_ab8, lattice

PIXELS_AT_ONCE = 2**20
STRIDES = (1, 2, 4, 8, 16, 32)  # of an output: powers of 2, at most the latents' stride of six blocks


def ab_histogram(lab8: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """The share of all pixels whose colour is nearest to each bin: the empirical p of Zhang 2016, section 2.2.

    Args:
        lab8: (N, 3, S, S) uint8 Lab, N at least 1; it may be memory-mapped and larger than memory.
        bins: (Q, 2) centres.

    Returns:
        (Q,) float64, its sum 1.
    """
    pixels = _joint_histogram(lab8, 1, 2)
    counts = np.bincount(bins_of_ab8(bins).ravel(), weights=pixels.ravel(), minlength=len(bins))
    return counts / counts.sum()


def mean_ab_by_lightness(lab8: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean a and b of the pixels of each stored lightness: the best prediction from one pixel's lightness alone.

    Args:
        lab8: (N, 3, S, S) uint8 Lab, N at least 1; it may be memory-mapped and larger than memory.

    Returns:
        (256,) int64, pixels of each lightness, and (256, 2) float64, their mean a and b in units of Lab. A
        lightness without pixels is interpolated linearly between its neighbours, or takes the nearest one's value.
    """
    codes, lightness = np.arange(256), np.arange(256)
    by_a, by_b = (_joint_histogram(lab8, 0, channel) for channel in (1, 2))
    pixels = by_a.sum(axis=1)
    seen = pixels > 0
    means = [(counts[seen] @ codes) / pixels[seen] - 128 for counts in (by_a, by_b)]
    return pixels, np.stack([np.interp(lightness, lightness[seen], mean) for mean in means], axis=1)


def lightness_ab_counts(lab8: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """How often each lightness and colour occur together, of squares of 1, 2, 4, ... pixels an edge.

    Lightness and colour of a square are the means of its pixels, as an output with that stride has to tell them.

    Args:
        lab8: (N, 3, S, S) uint8 Lab, N at least 1; it may be memory-mapped and larger than memory.
        bins: (Q, 2) centres that lie on a lattice.

    Returns:
        (strides, 256, Q) int64: squares by log2 of the edge, stored lightness, rounded, and the nearest bin. There are
        as many of `STRIDES` as S is a multiple of.
    """
    size, nearest = lattice(bins)
    strides = [stride for stride in STRIDES if lab8.shape[-1] % stride == 0]
    counts = np.zeros((len(strides), 256 * len(bins)), dtype=np.int64)
    for images in _chunks(lab8):
        sums = images.astype(np.int32)
        for number, stride in enumerate(strides):
            if number:
                sums = sums[..., ::2, :] + sums[..., 1::2, :]
                sums = sums[..., ::2] + sums[..., 1::2]
            lightness, a, b = np.moveaxis(sums, 1, 0) / stride**2
            cells = (_lattice_index(values - 128, size, len(nearest)) for values in (a, b))
            pairs = np.rint(lightness).astype(np.int64) * len(bins) + nearest[tuple(cells)]
            counts[number] += np.bincount(pairs.ravel(), minlength=256 * len(bins))
    return counts.reshape(len(strides), 256, len(bins))


def smoothed_prior(bins: np.ndarray, prior: np.ndarray, sigma: float) -> np.ndarray:
    """The prior after a Gaussian over the ab plane (Zhang 2016, section 2.2: sigma 5).

    Each bin's share is spread over the bins of the gamut alone, in proportion to the Gaussian, so that nothing is
    lost at its border.

    Args:
        bins: (Q, 2) centres that lie on a lattice.
        prior: (Q,) shares.
        sigma: in units of ab.

    Returns:
        (Q,) float64, with the sum of `prior`.
    """
    # On a lattice the Gaussian of both axes is the product of two small matrices, however many bins there are.
    (rows, row), (columns, column) = (np.unique(axis, return_inverse=True) for axis in bins.T.astype(np.float64))
    along_a, along_b = (np.exp(-((axis[:, None] - axis) ** 2) / (2 * sigma**2)) for axis in (rows, columns))

    def spread(values: np.ndarray) -> np.ndarray:
        lattice = np.zeros((len(rows), len(columns)))
        lattice[row, column] = values
        return (along_a @ lattice @ along_b)[row, column]

    return spread(prior / spread(np.ones(len(bins))))


def rebalancing_weights(prior: np.ndarray, mix: float) -> np.ndarray:
    """Weights that let rare colours count (Zhang 2016, eq. 4): w ~ 1 / ((1 - mix) p + mix / Q), with sum p w = 1.

    Args:
        prior: (Q,) smoothed shares, their sum 1.
        mix: the paper's lambda, of the uniform distribution; above 0, and at 1 all weights are 1.

    Returns:
        (Q,) float64, positive.

    >>> rebalancing_weights(np.array([0.75, 0.25]), mix=1.0)
    array([1., 1.])
    """
    weights = 1 / ((1 - mix) * prior + mix / len(prior))
    return weights / (prior @ weights)


def _joint_histogram(lab8: np.ndarray, first: int, second: int) -> np.ndarray:
    """(256, 256) int64: pixels by the values of two channels."""
    counts = np.zeros(256 * 256, dtype=np.int64)
    for images in _chunks(lab8):
        pairs = images[:, first].astype(np.uint16) << 8 | images[:, second]
        counts += np.bincount(pairs.ravel(), minlength=256 * 256)
    return counts.reshape(256, 256)


def _lattice_index(values: np.ndarray, size: float, count: int) -> np.ndarray:
    """Index of the nearest multiple of `size`, 0 the lowest of `count`; midway between two, the lower."""
    return np.ceil(values / size - 0.5).astype(np.int64) + count // 2


def _chunks(lab8: np.ndarray) -> Iterator[np.ndarray]:
    images = max(1, PIXELS_AT_ONCE // (lab8.shape[-2] * lab8.shape[-1]))
    for start in range(0, len(lab8), images):
        yield lab8[start : start + images]
