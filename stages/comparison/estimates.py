"""Accuracies and their differences, with 95 % intervals that account for test images and seeds.

A resampled accuracy is the accuracy plus two deviations:
- images: the paired bootstrap's (`bootstrap`), of the mean over seeds, times sqrt(N / (N - 1)), which makes its
  variance the unbiased one (Rao and Wu 1988, JASA 83);
- seeds: a normal deviate times the seeds' standard error (`variance`), independent from representation to
  representation. Three seeds have ten distinct resamples: their resampled means say less than a normal curve.
The interval is the percentile interval of these sums, widened about the estimate by t / z: the 97.5 % quantile of
Student's t with Satterthwaite's degrees of freedom over the normal one. Seeds are few, and the plain percentile
interval is too narrow as long as their variance is a guess (Hesterberg 2015, The American Statistician 69: the
expanded percentile interval). So an interval and the t test of `lifts` agree, but for the images' skewness.
tests/comparison/test_estimates.py simulates the coverage: 95 to 98 % for five seeds, where an interval over images
alone falls to two thirds. Of two or three seeds that differ far more than images explain it is 91 to 94 % for an
accuracy (95 to 97 % for a lift), and the width varies much from study to study: more seeds narrow it. Of two
pretraining seeds it is 87 to 95 % for an accuracy and 94 to 98 % for a lift; of three, 91 to 96 % and 95 to 98 %.

What is not covered: another pretraining, where there is one pretraining seed; another choice of held-out classes,
other labelled images.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from stages.comparison.bootstrap import resampled_means
from stages.comparison.variance import SeedVariance, seed_variance, standard_error

LEVEL = 0.95


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
    """

    images: np.ndarray
    seeds: tuple[SeedVariance, ...]
    by_image: np.ndarray
    by_seed: np.ndarray

    def __sub__(self, other: "BootstrapEstimate") -> "BootstrapEstimate":
        return BootstrapEstimate(
            self.images - other.images,
            (*self.seeds, *other.seeds),
            self.by_image - other.by_image,
            self.by_seed - other.by_seed,
        )

    def interval(self) -> Interval:
        """The mean with its 95 % interval, which stays within what accuracies, or differences of two, can be."""
        value = self.images.mean()
        error, freedom = standard_error(self.images, self.seeds)
        edges = (1 - LEVEL) / 2, (1 + LEVEL) / 2
        widening = stdtrit(freedom, edges[1]) / ndtri(edges[1])
        low, high = value + widening * np.quantile(self.by_image + self.by_seed, edges)
        least = 0 if len(self.seeds) == 1 else -1
        return Interval(float(value), *(float(np.clip(end, least, 1)) for end in (low, high)), error, freedom)


Estimates = dict[str, dict[tuple, BootstrapEstimate]]
"""By domain, then by representation, layer and head."""


def bootstrap_estimates(
    hits: dict[tuple, np.ndarray], *, resamples: int, seed: list[int]
) -> dict[tuple, BootstrapEstimate]:
    """An estimate for each table of right answers; they share the resampled images, so that they can be subtracted.

    Args:
        hits: by a key whose first entry is the representation: (pretraining seeds, probe seeds, N) uint8, 1 = right, of
            the same N >= 2 images in the same order. Estimates of a representation share their seeds' deviates, those
            of different ones are independent, and neither depends on what else is in the table.
        resamples: of the bootstrap.
        seed: of the study and the domain.

    Returns:
        A `BootstrapEstimate` a key.
    """
    totals = np.stack([table.sum(axis=(0, 1), dtype=np.int32) for table in hits.values()], axis=1)
    means = resampled_means(totals, resamples=resamples, seed=seed)
    images = len(totals)
    estimates, deviates = {}, {}
    for (key, table), total, mean in zip(hits.items(), totals.T, means.T, strict=True):
        trials = table.shape[0] * table.shape[1]
        by_image = (mean - total.mean()) / trials * np.sqrt(images / (images - 1))
        seeds = seed_variance(table)
        if key[0] not in deviates:
            deviates[key[0]] = np.random.default_rng([*seed, *key[0].encode()]).standard_normal(resamples)
        estimates[key] = BootstrapEstimate(
            total / trials, (seeds,), by_image, np.sqrt(seeds.variance) * deviates[key[0]]
        )
    return estimates
