"""The primary endpoint: the one lift that was declared before the run, tested in domain and then out of domain.

It is the accuracy of the first probed one of `pretext.objectives` minus that of `compare.primary.over`, under one head,
on one layer of every encoder, all fixed in params.yaml. So nothing about it is chosen on the results, and its tests
need no correction for the others, which are secondary.

The two domains are tested in a fixed sequence: out of domain counts only if in domain a difference was shown. Each test
is made at 5 %, and the chance of one false finding or more in the two is at most 5 %, too (Maurer, Hothorn and
Lehmacher 1995, Multiple comparisons in drug clinical trials and preclinical assays: a-priori ordered hypotheses).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.runtime.schema import Params
from stages.study.representations import first_probed
from stages.study.vocabulary import DOMAINS

SEQUENCE = ("in", "out")  # the domains, in the order in which they are tested


class Endpoint(NamedTuple):
    """What is compared under which head; the layer is the view `primary` of each representation.

    Attributes:
        head: of the primary endpoint; of what else is shown first, too.
        subject: the first representation of the lift; None where no objective was probed: then there is no such lift.
        over: the representation that it is compared with.
    """

    head: str
    subject: str | None
    over: str


def declared_endpoint(params: Params) -> Endpoint:
    """The endpoint of `compare.primary`."""
    subject = first_probed(params.pretext.objectives, params.probe.representations.latents)
    return Endpoint(params.compare.primary.head, subject, params.compare.primary.over)


def fixed_sequence(p: list[float]) -> np.ndarray:
    """Adjusted p of tests in a fixed sequence, (M,) float64: the largest p up to each, in the order given.

    A test is then rejected at a level where all before it are, too.

    >>> fixed_sequence([0.01, 0.04, 0.02]).tolist()
    [0.01, 0.04, 0.04]
    """
    return np.maximum.accumulate(np.array(p, np.float64))


def primary_results(means: pd.DataFrame, lifts: pd.DataFrame) -> pd.DataFrame:
    """The rows of the primary endpoint, a domain each, with both accuracies.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.

    Returns:
        `LIFTS` of view `primary`, with `accuracy`, `accuracy_low`, `accuracy_high` and `over_accuracy`; in the order of
        `SEQUENCE`. Empty where no objective was probed.
    """
    cells = means[means["view"] == "primary"]
    keys = ["domain", "head", "representation"]
    accuracies = ["accuracy", "accuracy_low", "accuracy_high"]
    rows = lifts[(lifts["primary"] == 1) & (lifts["view"] == "primary")]
    rows = rows.merge(cells[[*keys, *accuracies]], on=keys, how="left")
    others = cells[[*keys, "accuracy"]].rename(columns={"representation": "over", "accuracy": "over_accuracy"})
    return rows.merge(others, on=["domain", "head", "over"], how="left")


def primary_scalars(results: pd.DataFrame) -> dict[str, dict[str, float]]:
    """`primary` of metrics/comparison.json: finite scalars by `in_domain` and `out_of_domain`."""
    names = [
        *("accuracy", "accuracy_low", "accuracy_high", "over_accuracy", "lift", "lift_low", "lift_high"),
        *("p", "p_adjusted", "win", "minimum_detectable"),
    ]
    return {DOMAINS[row.domain].key: {name: getattr(row, name) for name in names} for row in results.itertuples()}
