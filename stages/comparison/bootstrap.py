"""The paired bootstrap over test images (percentile intervals: Efron and Tibshirani 1993, chapter 13).

All representations predicted the same images, so a resample draws images once and takes every
representation's scores on them. Differences then lose what the images have in common: most images are
easy, or hard, for all.
"""

import numpy as np

CHUNK_DRAWS = 4_000_000  # draws in memory at once
EXACT = 2**24  # up to here float32 holds every whole number


def resampled_means(counts: np.ndarray, *, resamples: int, seed: int | list[int]) -> np.ndarray:
    """Means of each column over resampled images; the columns share every resample.

    A resample of N images is how often it drew each, so the means of all columns are one matrix product: draws
    (resamples, N) times counts (N, columns), divided by N. Counts of right answers are whole numbers, and so
    is every partial sum, at most N times the largest count. Below 2^24 float32 holds all of these exactly (and float64
    below 2^53), so the product has no rounding error: it does not depend on the order of summation, the number of
    threads or the columns beside it, and float32 takes half the time.

    Args:
        counts: (N, columns) whole numbers from 0, one row an image.
        resamples: how many times to draw N images with replacement.
        seed: of `numpy.random.default_rng`.

    Returns:
        (resamples, columns) float64.

    Raises:
        ValueError: when `counts` is not a matrix of whole numbers from 0 with a row.
    """
    if counts.ndim != 2 or not len(counts) or counts.dtype.kind not in "iub" or counts.min(initial=0) < 0:
        raise ValueError(
            f"counts must be whole numbers from 0, (N, columns) with N >= 1; got {counts.dtype} {counts.shape}"
        )
    images = len(counts)
    exact = np.float32 if images * int(counts.max(initial=0)) < EXACT else np.float64
    columns = counts.astype(exact)
    generator = np.random.default_rng(seed)
    step = max(1, min(resamples, CHUNK_DRAWS // images))
    drawn = np.empty((step, images), exact)
    means = np.empty((resamples, columns.shape[1]))
    for start in range(0, resamples, step):
        length = min(step, resamples - start)
        for row in drawn[:length]:
            row[:] = np.bincount(generator.integers(images, size=images, dtype=np.int32), minlength=images)
        means[start : start + length] = drawn[:length] @ columns
    return means / images
