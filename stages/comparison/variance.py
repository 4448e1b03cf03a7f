"""How far an accuracy, or a difference of accuracies, would move with other test images and other seeds.

Right answers form a table of R seeds by N images: both are draws from many, and each cell has noise of its own (another
seed turns some images from wrong to right and as many back). That is the two-way crossed random model
    y_ri = mean + seed_r + image_i + noise_ri,
and the variance of the table's mean is seed / R + image / N + noise / (R N). The parts' unbiased estimates come from
mean squares (Searle, Casella and McCulloch 1992, Variance Components, chapter 4):
- images: the variance of the images' means over seeds, divided by N, estimates image / N + noise / (R N);
- seeds: the variance of the seeds' means over images, divided by R, estimates seed / R + noise / (R N).
Their sum holds the noise twice, which a bootstrap that resamples both does too (Owen 2007, The pigeonhole bootstrap);
so what the noise alone would make of the seeds' means, the residual mean square / (R N), is taken off the second.
"""

import math
from typing import NamedTuple

import numpy as np


class SeedVariance(NamedTuple):
    """Variance of a mean over seeds, beyond what images explain.

    Attributes:
        variance: from 0.
        terms: what it was computed from, for the degrees of freedom: pairs of a mean square times its
            coefficient, and that mean square's degrees of freedom. Empty where there is nothing.
    """

    variance: float
    terms: tuple[tuple[float, int], ...]


def seed_runs(hits: np.ndarray) -> np.ndarray:
    """The runs whose spread is the seeds': of the highest level that has several.

    Probe seeds are nested in pretraining seeds, so the means of the pretraining seeds already vary with both; where
    there is one pretraining seed, its probe seeds are what is left (Davison and Hinkley 1997, Bootstrap Methods,
    section 3.8).

    Args:
        hits: (pretraining seeds, probe seeds, N), 1 = right.

    Returns:
        (R, N) float64, R >= 1.
    """
    return hits.mean(axis=1, dtype=np.float64) if len(hits) > 1 else hits[0].astype(np.float64)


def seed_variance(runs: np.ndarray) -> SeedVariance:
    """The seeds' part of the variance of the mean of (R, N) runs; 0 where R is 1, or where images explain it all.

    One seed says nothing about others: what is made from its variance then does not cover them.
    """
    count, images = runs.shape
    if count == 1:
        return SeedVariance(0.0, ())
    by_seed = runs.mean(axis=1)
    between = by_seed.var(ddof=1) / count
    residual = runs - by_seed[:, None] - runs.mean(axis=0) + by_seed.mean()
    freedom = (count - 1) * (images - 1)
    noise = np.square(residual).sum() / freedom / (count * images)
    if between <= noise:
        return SeedVariance(0.0, ())
    return SeedVariance(between - noise, ((between, count - 1), (noise, freedom)))


def standard_error(images: np.ndarray, seeds: tuple[SeedVariance, ...]) -> tuple[float, float]:
    """Standard error of the mean over images and seeds, and its degrees of freedom.

    Args:
        images: (N,) each image's mean over seeds, or a difference of two; N >= 2.
        seeds: of the representations in it; their seeds are independent.

    Returns:
        Standard error, and the degrees of freedom by Satterthwaite (1946) of this sum of mean squares; infinite
        where nothing varies. With one seed: those of the (paired) t test, N - 1.
    """
    own = images.var(ddof=1) / len(images)
    terms = [(own, len(images) - 1), *(term for part in seeds for term in part.terms)]
    variance = own + sum(part.variance for part in seeds)
    weight = sum(square**2 / freedom for square, freedom in terms)
    return math.sqrt(variance), variance**2 / weight if weight else math.inf
