"""Uncertainty of an accuracy, or of a difference of accuracies, due to the choice of classes.

Each class's accuracy is a draw from those of all classes that might have been chosen, and is measured on a sample of
its images. With K classes, V is the variance of the classes' accuracies over K, which is unbiased for the variance of
their mean over classes and images; W is the part of it that images explain, from the variances within classes. The
two-stage bootstrap (`bootstrap.two_stage_means`) has W twice, so its first stage is shrunk to the variance V - W, and
to nothing where W is the larger (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 3.8).
The variance is then the larger of V and W, with K - 1 degrees of freedom: intervals are not narrower than Student's t
over the classes' accuracies. Seeds are accounted for as in `variance`, with classes in the place of images, so that a
seed that is good at some classes counts once.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stages.comparison.variance import SeedVariance, combined_error


class ClassGroups(NamedTuple):
    """Images grouped by class.

    Attributes:
        order: (N,) int64, images by class.
        first: (K,) int64, where each class starts in that order.
        sizes: (K,) int64, images of each class.
    """

    order: np.ndarray
    first: np.ndarray
    sizes: np.ndarray


def class_groups(classes: np.ndarray) -> ClassGroups:
    """The groups of images with the same entry of `classes`, (N,) numbers or names."""
    _, numbers, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return ClassGroups(np.argsort(numbers, kind="stable"), np.cumsum(sizes) - sizes, sizes)


def class_values(table: np.ndarray, groups: ClassGroups) -> np.ndarray:
    """One value a class: their mean is the mean over images, and their variance over K the variance of that mean.

    Of classes of equal size it is each one's mean. Else the mean over images is a ratio of two sums over classes, and a
    class counts by its size: mean + K n_k / N (mean_k - mean), the linearised ratio (Cochran 1977, Sampling Techniques,
    section 6.4).

    Args:
        table: (..., N), of images in the order that `groups` was made of.

    Returns:
        (..., K) float64.
    """
    totals = np.add.reduceat(table[..., groups.order], groups.first, axis=-1, dtype=np.float64)
    images, count = len(groups.order), len(groups.sizes)
    mean = totals.sum(axis=-1, keepdims=True) / images
    return mean + (totals - groups.sizes * mean) * count / images


@dataclass(frozen=True)
class ClassEstimate:
    """A mean over images with its deviations by the two-stage bootstrap; two subtract to a paired difference.

    Attributes:
        images: (N,) float64, each image's mean over seeds.
        groups: of these images.
        seeds: the seeds' variance beyond what classes explain; of both, for a difference.
        by_class: (resamples,) float64, deviations of the mean by resampled classes.
        within: (resamples,) float64, those that resampled images add.
        by_seed: (resamples,) float64, deviations by seeds.
    """

    images: np.ndarray
    groups: ClassGroups
    seeds: tuple[SeedVariance, ...]
    by_class: np.ndarray
    within: np.ndarray
    by_seed: np.ndarray

    def __sub__(self, other: "ClassEstimate") -> "ClassEstimate":
        return ClassEstimate(
            self.images - other.images,
            self.groups,
            (*self.seeds, *other.seeds),
            self.by_class - other.by_class,
            self.within - other.within,
            self.by_seed - other.by_seed,
        )

    def standard_error(self) -> tuple[float, float]:
        """Standard error of the mean over classes, images and seeds, and its degrees of freedom (Satterthwaite)."""
        return combined_error(max(self._variances()), len(self.groups.sizes) - 1, self.seeds)

    def deviations(self) -> np.ndarray:
        """(resamples,) float64, deviations of the mean by classes, images and seeds."""
        classes, images = self._variances()
        count, sizes = len(self.groups.sizes), self.groups.sizes
        first = math.sqrt(max(0.0, 1 - images / classes) * count / (count - 1)) if classes else 0.0
        # Resampled images vary as the plain variance of a class does, not as the unbiased one.
        second = math.sqrt(sizes.max() / (sizes.max() - 1)) if sizes.max() > 1 else 0.0
        return first * self.by_class + second * self.within + self.by_seed

    def _variances(self) -> tuple[float, float]:
        """V and W."""
        values, sizes = class_values(self.images, self.groups), self.groups.sizes
        totals, squares = (
            np.add.reduceat(part[self.groups.order], self.groups.first) for part in (self.images, self.images**2)
        )
        spread = squares - totals**2 / sizes  # sum of squares about the class's mean
        within = (sizes / np.maximum(sizes - 1, 1) * np.maximum(spread, 0)).sum() / len(self.images) ** 2
        return float(values.var(ddof=1)) / len(values), float(within)
