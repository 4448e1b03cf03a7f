"""The paired bootstrap over test images and over classes (percentile intervals: Efron and Tibshirani 1993, chapter 13).

All representations predicted the same images, so they share each resample of images. Most images are easy, or hard,
for all representations: this variance cancels in differences.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stages.comparison.class_estimates import class_groups

CHUNK_DRAWS = 4_000_000  # draws in memory at once
EXACT = 2**24  # up to here float32 holds every whole number


class TwoStageMeans(NamedTuple):
    """Means of each column in the same resamples after each stage: two arrays (resamples, columns) float64.

    Attributes:
        by_class: of resampled classes with all their images.
        both: of resampled classes with resampled images.
    """

    by_class: np.ndarray
    both: np.ndarray


def resampled_means(counts: np.ndarray, *, resamples: int, seed: int | list[int]) -> np.ndarray:
    """Means of each column over resampled images; the columns share every resample.

    A resample is described by how often it drew each of the N images, so all means are one matrix product: draws
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
    _check_counts(counts)
    images = len(counts)
    generator = np.random.default_rng(seed)

    def draw(count: int) -> np.ndarray:
        return _times_drawn(generator.integers(images, size=(count, images), dtype=np.int32), images)

    return _drawn_totals(draw, counts, resamples, largest=images) / images


def two_stage_means(counts: np.ndarray, classes: np.ndarray, *, resamples: int, seed: int | list[int]) -> TwoStageMeans:
    """Means of each column over resampled images of resampled classes; the columns share every resample.

    A resample draws K of the K classes with replacement, then of each drawn class as many images as it has, with
    replacement; a class drawn twice has its images drawn twice. A mean is over all images drawn, whose number differs
    where classes differ in size.

    The variance of `both` counts that of images twice, as means of classes vary with their images, too. With K
    classes of n images, S_b^2 the variance of the classes' means and S_w^2 the mean variance within classes (both
    unbiased), it is (K - 1) / K * S_b^2 / K + (n - 1) / n * S_w^2 / (K n), and S_b^2 / K alone is the unbiased
    variance over classes and images (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 3.8).
    To remove the excess, shrink the first stage's deviations: `stages.comparison.class_estimates`.

    Args:
        counts: (N, columns) whole numbers from 0, one row an image.
        classes: (N,) the class of each image, as numbers or as names.
        resamples: how many times to draw.
        seed: of `numpy.random.default_rng`.

    Raises:
        ValueError: when `counts` is not a matrix of whole numbers from 0 with a row, or `classes` has another length.
    """
    _check_counts(counts)
    if np.shape(classes) != counts.shape[:1]:
        raise ValueError(f"classes must be one an image, ({len(counts)},); got {np.shape(classes)}")
    order, first, sizes = class_groups(classes)
    grouped = counts[order]
    totals = np.add.reduceat(grouped.astype(np.int64), first)
    generator, within = np.random.default_rng(seed).spawn(2)
    times = []  # that each class was drawn

    def draw(count: int) -> np.ndarray:
        drawn = generator.integers(len(sizes), size=(count, len(sizes)))
        times.append(_times_drawn(drawn, len(sizes)))
        lengths = sizes[drawn].ravel()
        # A random number below 1 times a whole number is below it after rounding, too.
        places = (within.random(lengths.sum()) * np.repeat(lengths, lengths)).astype(np.int64)
        starts = first[drawn] + len(counts) * np.arange(count)[:, None]
        places += np.repeat(starts.ravel(), lengths)
        return np.bincount(places, minlength=count * len(counts)).reshape(count, len(counts))

    both = _drawn_totals(draw, grouped, resamples, largest=len(sizes) * int(sizes.max()))
    times = np.concatenate(times)
    images = (times @ sizes)[:, None]
    return TwoStageMeans(times @ totals / images, both / images)


def _times_drawn(drawn: np.ndarray, kinds: int) -> np.ndarray:
    """Counts of 0..kinds-1 in each row of `drawn`: (rows, kinds)."""
    rows = len(drawn)
    places = drawn + kinds * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=rows * kinds).reshape(rows, kinds)


def _check_counts(counts: np.ndarray) -> None:
    if counts.ndim != 2 or not len(counts) or counts.dtype.kind not in "iub" or counts.min(initial=0) < 0:
        raise ValueError(
            f"counts must be whole numbers from 0, (N, columns) with N >= 1; got {counts.dtype} {counts.shape}"
        )


def _drawn_totals(draw: Callable[[int], np.ndarray], counts: np.ndarray, resamples: int, largest: int) -> np.ndarray:
    """Totals of each column in each resample, (resamples, columns) float64, without rounding error.

    Args:
        draw: of a number, how often each of so many resamples drew each image: (number, N).
        counts: (N, columns) whole numbers from 0.
        largest: the most images that a resample draws.
    """
    exact = np.float32 if largest * int(counts.max(initial=0)) < EXACT else np.float64
    columns = counts.astype(exact)
    step = max(1, min(resamples, CHUNK_DRAWS // len(counts)))
    totals = np.empty((resamples, columns.shape[1]))
    for start in range(0, resamples, step):
        length = min(step, resamples - start)
        totals[start : start + length] = draw(length).astype(exact) @ columns
    return totals
