"""Variance of an accuracy, or of a difference of accuracies, over test images and seeds.

Right answers form a table of P pretraining seeds by D probe seeds, or draws of labels, by N images. All pretrainings
share the probe seeds and draws, so the three factors are crossed; all are random, and any two may interact (a draw that
suits one pretraining, an image that one seed gets wrong). That is the three-way crossed random-effects model
    y_pdi = mean + p + d + i + pd + pi + di + noise_pdi,
and the variance of the table's mean is the sum of its effects' variances V, each over how many were drawn:
    V_p / P + V_d / D + V_i / N + V_pd / (P D) + V_pi / (P N) + V_di / (D N) + V_noise / (P D N).
An unbiased estimate is made of the table's mean squares M (Searle, Casella and McCulloch 1992, Variance Components,
chapters 4 and 5): (M_p + M_d + M_i - M_pd - M_pi - M_di + M_pdi) / (P D N). It is split into
- images: M_i / (P D N), the variance of the images' means over N, which the bootstrap over images gives, too;
- seeds: the rest, where it is positive. A bootstrap that resamples images and seeds would count what pi, di and the
  noise make of the seeds' means twice (Owen 2007, The pigeonhole bootstrap); here they are subtracted.
With one pretraining seed what is left of the rest is (M_d - M_di) / (P D N): seeds and images, crossed two ways.
"""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np

PRETRAINING, PROBE, IMAGE = 0, 1, 2
# Estimators of the seeds' variance, of pretraining, probe and both: the sign of each mean square, by its axes.
SEED_PARTS = (
    {(PRETRAINING,): 1, (PRETRAINING, IMAGE): -1},
    {(PROBE,): 1, (PROBE, IMAGE): -1},
    {
        (PRETRAINING,): 1,
        (PROBE,): 1,
        (PRETRAINING, PROBE): -1,
        (PRETRAINING, IMAGE): -1,
        (PROBE, IMAGE): -1,
        (PRETRAINING, PROBE, IMAGE): 1,
    },
)


class SeedVariance(NamedTuple):
    """Variance of a mean over seeds, beyond what images explain.

    Attributes:
        variance: from 0.
        terms: what it was computed from, for the degrees of freedom: pairs of a mean square times its
            coefficient, and that mean square's degrees of freedom. Empty where there is nothing.
    """

    variance: float
    terms: tuple[tuple[float, int], ...]

    def scaled(self, factor: float) -> "SeedVariance":
        """Of the mean times `factor`."""
        return SeedVariance(factor**2 * self.variance, tuple((factor**2 * square, df) for square, df in self.terms))


def seed_variance(hits: np.ndarray) -> SeedVariance:
    """The seeds' component of the variance of the mean; 0 where there is one seed, or where images explain all of it.

    With one seed, intervals do not cover other seeds. Both kinds of seeds together vary no less than either alone, but
    estimates from few seeds may contradict that: the largest of the three is taken, which is conservative.

    Args:
        hits: (P, D, N), 1 = right; N >= 2.
    """
    return contrast_seed_variance([(hits, 1.0)])


def contrast_seed_variance(parts: list[tuple[np.ndarray, float]]) -> SeedVariance:
    """As `seed_variance`, of the weighted sum of the means of tables that share their seeds but no images.

    A seed moves all tables together. Its effect is estimated from the sum with each seed; the variance that the images
    of each table add to it, independently of the others', is subtracted.

    Args:
        parts: tables (P, D, N_k), N_k >= 2, with their weights.
    """
    seeds = sum(weight * table.mean(axis=IMAGE, keepdims=True, dtype=np.float64) for table, weight in parts)
    squares, freedoms = _mean_squares(seeds)
    known = {axes: [(squares[axes] / seeds.size, freedoms[axes])] for axes in squares if IMAGE not in axes}
    for table, weight in parts:
        squares, freedoms = _mean_squares(table)
        for axes in squares:
            if IMAGE in axes:
                known.setdefault(axes, []).append((weight**2 * squares[axes] / table.size, freedoms[axes]))
    largest = SeedVariance(0.0, ())
    for signs in SEED_PARTS:
        estimated = {axes: sign for axes, sign in signs.items() if known[axes][0][1]}
        variance = sum(sign * square for axes, sign in estimated.items() for square, _ in known[axes])
        if variance > largest.variance:
            largest = SeedVariance(float(variance), tuple(term for axes in estimated for term in known[axes]))
    return largest


def _mean_squares(table: np.ndarray) -> tuple[dict[tuple, float], dict[tuple, int]]:
    """Mean square and degrees of freedom of each effect and interaction of a table's axes, by the axes."""
    axes = range(table.ndim)
    rest = table.astype(np.float64)
    rest -= rest.mean()
    squares, freedoms = {}, {}
    # Main effects, then interactions of two axes, then of three: each is a mean of the residuals of those before.
    for count in (1, 2, 3):
        effects = {
            kept: rest.mean(axis=tuple(axis for axis in axes if axis not in kept), keepdims=True)
            for kept in combinations(axes, count)
        }
        for kept, effect in effects.items():
            freedoms[kept] = math.prod(table.shape[axis] - 1 for axis in kept)
            square = np.square(effect).sum() * (table.size // effect.size)
            squares[kept] = float(square / freedoms[kept]) if freedoms[kept] else 0.0
            rest = rest - effect
    return squares, freedoms


def standard_error(images: np.ndarray, seeds: tuple[SeedVariance, ...]) -> tuple[float, float]:
    """Standard error of the mean over images and seeds, and its degrees of freedom.

    Args:
        images: (N,) each image's mean over seeds, or a difference of two; N >= 2.
        seeds: of the representations in it; their seeds are independent.

    Returns:
        Standard error, and the degrees of freedom by Satterthwaite (1946) of this sum of mean squares; infinite
        where nothing varies. With one seed: those of the (paired) t test, N - 1.
    """
    return combined_error(images.var(ddof=1) / len(images), len(images) - 1, seeds)


def combined_error(variance: float, freedom: float, seeds: tuple[SeedVariance, ...]) -> tuple[float, float]:
    """As `standard_error`, of a variance of the mean with its degrees of freedom, and of the seeds'."""
    terms = [(variance, freedom), *(term for part in seeds for term in part.terms)]
    total = variance + sum(part.variance for part in seeds)
    weight = sum(square**2 / freedom for square, freedom in terms)
    return math.sqrt(total), total**2 / weight if weight else math.inf
