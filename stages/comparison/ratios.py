"""Accuracies as multiples of what pixels with colour reach, plain and with chance taken off both.

A domain with more classes has a lower chance, so a lift of five points is more there than in one with few. A ratio
says by what factor an accuracy is higher. The chance-corrected ratio, (accuracy - chance) / (accuracy of pixels -
chance), takes off what guessing gets right, too.

Intervals are percentiles of the ratio in the resamples that the lifts have, their deviations widened by t / z before
they are divided. Where deviations are normal that is Fieller's interval (1954, JRSS B 16): the ratios r for which
|a - r b| <= t times its standard error. A resample with a denominator of 0 or below counts as an infinite ratio.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.comparison.estimates import EDGES, BootstrapEstimate, Estimates, widening
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS, RATIOS
from stages.comparison.variance import standard_error
from stages.probing.tables import HEADS
from stages.study.representations import COLOR_PIXELS
from stages.study.vocabulary import DOMAINS


class Ratio(NamedTuple):
    """A ratio and its 95 % interval; an end is NaN where it is not finite, all three where the ratio is undefined."""

    value: float
    low: float
    high: float


def ratio_table(
    representations: list[ProbedRepresentation], estimates: Estimates, chance: dict[str, float]
) -> pd.DataFrame:
    """The ratios of every representation to each kind of pixels with colour, under every probe and in every view.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer and head.
        chance: accuracy of guessing, by domain.

    Returns:
        `RATIOS`, with the accuracies and the lift that the ratios are made of. Empty without such pixels.
    """
    rows = []
    pixels = [other for other in representations if other.name in COLOR_PIXELS]
    for domain in DOMAINS:
        for head in HEADS:
            for other in pixels:
                (over_layer,) = other.views(domain).values()
                reference = estimates[domain][other.name, over_layer, head]
                for representation in representations:
                    if representation.name in COLOR_PIXELS:
                        continue
                    for view, layer in representation.views(domain).items():
                        estimate = estimates[domain][representation.name, layer, head]
                        accuracies = float(estimate.images.mean()), float(reference.images.mean())
                        rows.append((
                            domain, head, view, representation.name, layer, other.name, *accuracies,
                            accuracies[0] - accuracies[1], *accuracy_ratio(estimate, reference),
                            *accuracy_ratio(estimate, reference, chance[domain]),
                        ))  # fmt: skip
    return RATIOS.frame(rows).round(DIGITS)


def accuracy_ratio(estimate: BootstrapEstimate, other: BootstrapEstimate, floor: float = 0.0) -> Ratio:
    """(accuracy - floor) / (the other's - floor), undefined where the other's interval reaches down to the floor."""
    if other.interval().low <= floor:
        return Ratio(math.nan, math.nan, math.nan)
    above, below = estimate.images.mean() - floor, other.images.mean() - floor
    value = float(above / below)
    seeds = (*estimate.seeds, *(part.scaled(value) for part in other.seeds))
    _, freedom = standard_error(estimate.images - value * other.images, seeds)
    above, below = (
        mean + widening(freedom) * (part.by_image + part.by_seed) for mean, part in ((above, estimate), (below, other))
    )
    finite = below > 0
    drawn = np.where(finite, above / np.where(finite, below, 1), np.copysign(np.inf, above))
    low, high = (
        float(end) if math.isfinite(end) else math.nan for end in np.quantile(drawn, EDGES, method="inverted_cdf")
    )
    return Ratio(value, low if floor else max(low, 0.0), high)  # an accuracy is not below 0
