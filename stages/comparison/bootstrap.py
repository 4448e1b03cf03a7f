"""The paired bootstrap over test images (percentile intervals: Efron and Tibshirani 1993, chapter 13).

All representations predicted the same images, so a resample draws images once and takes every
representation's scores on them. Differences then lose what the images have in common: most images are
easy, or hard, for all.
"""

import numpy as np

CHUNK_DRAWS = 4_000_000  # draws in memory at once


def resampled_means(values: np.ndarray, *, resamples: int, seed: int | list[int]) -> np.ndarray:
    """Means of each column over resampled images; the columns share every resample.

    A resample of N images is a count for each image, so the means of all columns are one matrix product:
    counts (resamples, N) times values (N, columns), divided by N.

    Args:
        values: (N, columns) float64, one row an image.
        resamples: how many times to draw N images with replacement.
        seed: of `numpy.random.default_rng`.

    Returns:
        (resamples, columns) float64.

    Raises:
        ValueError: when `values` is not a matrix with a row.
    """
    if values.ndim != 2 or not len(values):
        raise ValueError(f"values must be (N, columns) with N >= 1; got {values.shape}")
    images = len(values)
    generator = np.random.default_rng(seed)
    # Offsets from the mean: a column of one value then has resampled means that are exactly that value.
    centre = values.mean(axis=0)
    offsets = values - centre
    means = np.empty((resamples, values.shape[1]))
    step = max(1, CHUNK_DRAWS // images)
    for start in range(0, resamples, step):
        length = min(step, resamples - start)
        draws = generator.integers(images, size=(length, images)) + images * np.arange(length)[:, None]
        counts = np.bincount(draws.ravel(), minlength=length * images).reshape(length, images)
        means[start : start + length] = centre + counts.astype(np.float64) @ offsets / images
    return means


def percentile_interval(resampled: np.ndarray, level: float = 0.95) -> np.ndarray:
    """The central `level` of the resampled values along the first axis: (2, ...), low and high."""
    return np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
