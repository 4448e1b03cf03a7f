"""Accuracies and their differences, with 95 % intervals that account for test images and seeds.

A resampled accuracy is the accuracy plus two deviations:
- images: the paired bootstrap's (`bootstrap`), of the mean over seeds, times sqrt(N / (N - 1)), which makes its
  variance the unbiased one (Rao and Wu 1988, JASA 83);
- seeds: a normal deviate times the seeds' standard error (`variance`), independent between representations. Seeds are
  not resampled, as three have ten distinct resamples only.
The interval is the percentile interval of these sums, widened about the estimate by t / z: the 97.5 % quantile of
Student's t with Satterthwaite's degrees of freedom over the normal one. With few seeds the plain percentile
interval is too narrow, as their variance is estimated (Hesterberg 2015, The American Statistician 69: the
expanded percentile interval). So an interval and the t test of `lifts` agree, but for the images' skewness.
tests/comparison/test_estimates.py simulates the coverage: 95 to 98 % for five seeds, where an interval over images
alone falls to two thirds. Of two or three seeds that differ far more than images explain it is 91 to 94 % for an
accuracy (95 to 97 % for a lift), and the width varies much from study to study: more seeds narrow it. Of two
pretraining seeds it is 87 to 95 % for an accuracy and 94 to 98 % for a lift; of three, 91 to 96 % and 95 to 98 %.

Not covered: other pretraining seeds, where there is one; other labelled images. Another choice of classes is covered by
a second interval: `class_estimates`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from stages.comparison.bootstrap import resampled_means, two_stage_means
from stages.comparison.class_estimates import ClassEstimate, class_groups, class_values
from stages.comparison.variance import SeedVariance, seed_variance, standard_error

LEVEL = 0.95
EDGES = (1 - LEVEL) / 2, (1 + LEVEL) / 2


class Interval(NamedTuple):
    """A number, its interval, its standard error and the degrees of freedom of that."""

    value: float
    low: float
    high: float
    error: float
    freedom: float


@dataclass(frozen=True)
class BootstrapEstimate:
    """An accuracy on a domain's test images with its bootstrap deviations; two subtract to a paired difference.

    Attributes:
        images: (N,) float64, each image's mean over seeds.
        seeds: the seeds' variance; of both, for a difference.
        by_image: (resamples,) float64, deviations of the mean by resampled images.
        by_seed: (resamples,) float64, deviations of the mean by seeds.
        over_classes: the same with classes resampled, too.
        least: the smallest possible value: 0, or -1 for a difference. The largest is 1.
    """

    images: np.ndarray
    seeds: tuple[SeedVariance, ...]
    by_image: np.ndarray
    by_seed: np.ndarray
    over_classes: ClassEstimate
    least: int = 0

    def __sub__(self, other: "BootstrapEstimate") -> "BootstrapEstimate":
        return BootstrapEstimate(
            self.images - other.images,
            (*self.seeds, *other.seeds),
            self.by_image - other.by_image,
            self.by_seed - other.by_seed,
            self.over_classes - other.over_classes,
            least=-1,
        )

    def interval(self) -> Interval:
        """The mean with its 95 % interval, clipped to the range of accuracies or of their differences."""
        error, freedom = standard_error(self.images, self.seeds)
        return self._interval(self.by_image + self.by_seed, error, freedom)

    def interval_over_classes(self) -> Interval:
        """The same, for another choice of classes, too."""
        return self._interval(self.over_classes.deviations(), *self.over_classes.standard_error())

    def with_seeds(self, table: np.ndarray, deviates: np.ndarray) -> "BootstrapEstimate":
        """The same mean, with the seeds' variance estimated from one table.

        For a difference with paired seeds: the seeds' variance of the differences, rather than the sum of two.

        Args:
            table: (pretraining seeds, probe seeds, N), of which `images` is the mean over seeds.
            deviates: (resamples,) standard normal.
        """
        seeds = seed_variance(table)
        class_seeds = seed_variance(class_values(table, self.over_classes.groups))
        over_classes = replace(
            self.over_classes, seeds=(class_seeds,), by_seed=np.sqrt(class_seeds.variance) * deviates
        )
        return replace(self, seeds=(seeds,), by_seed=np.sqrt(seeds.variance) * deviates, over_classes=over_classes)

    def _interval(self, deviations: np.ndarray, error: float, freedom: float) -> Interval:
        value = float(self.images.mean())
        ends = value + widening(freedom) * np.quantile(deviations, EDGES)
        return Interval(value, *(float(np.clip(end, self.least, 1)) for end in ends), error, freedom)


def widening(freedom: float) -> float:
    """The factor by which the deviations of a percentile interval are expanded: t / z, at least 1."""
    return float(stdtrit(freedom, EDGES[1]) / ndtri(EDGES[1]))


Estimates = dict[str, dict[tuple, BootstrapEstimate]]
"""By domain, then by representation, layer and head."""


def bootstrap_estimates(
    hits: dict[tuple, np.ndarray], classes: np.ndarray, *, resamples: int, seed: list[int]
) -> dict[tuple, BootstrapEstimate]:
    """An estimate for each table of right answers; they share the resampled images, so that they can be subtracted.

    Args:
        hits: by key, the representation first: (pretraining seeds, probe seeds, N) uint8, 1 = right, of the same
            N >= 2 images in the same order. Estimates of a representation share their seeds' deviates, those
            of different ones are independent, and neither depends on what else is in the table.
        classes: (N,) the class of each image, two or more.
        resamples: of the bootstrap.
        seed: of the study and the domain.

    Returns:
        A `BootstrapEstimate` a key.
    """
    totals = np.stack([table.sum(axis=(0, 1), dtype=np.int32) for table in hits.values()], axis=1)
    resampled = resampled_means(totals, resamples=resamples, seed=seed)
    by_class, both = two_stage_means(totals, classes, resamples=resamples, seed=[*seed, 1])
    images, groups = len(totals), class_groups(classes)
    estimates, deviates = {}, {}
    for number, (key, table) in enumerate(hits.items()):
        trials, total = table.shape[0] * table.shape[1], totals[:, number]
        if key[0] not in deviates:
            deviates[key[0]] = np.random.default_rng([*seed, *key[0].encode()]).standard_normal(resamples)
        estimate = BootstrapEstimate(
            total / trials,
            (),
            (resampled[:, number] - total.mean()) / trials * np.sqrt(images / (images - 1)),
            np.zeros(resamples),
            ClassEstimate(
                total / trials,
                groups,
                (),
                (by_class[:, number] - total.mean()) / trials,
                (both[:, number] - by_class[:, number]) / trials,
                np.zeros(resamples),
            ),
        )
        estimates[key] = estimate.with_seeds(table, deviates[key[0]])
    return estimates
