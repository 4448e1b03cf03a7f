"""How many labels pretraining saves: its utility over training the same network from scratch.

Newell and Deng 2020 (How Useful is Self-Supervised Pretraining for Visual Tasks?, arXiv 2003.14323, section 3)
fine-tune a pretrained network with n labels, and ask with how many labels n_hat the network trained from scratch is as
accurate: U = n_hat / n - 1. Pretraining with U = 1 is worth as many labels again; with U = 0 it is worth none.

n_hat is where the curve of the network from scratch first reaches the accuracy, linear in the logarithm of labels
between the numbers of `finetune.shots`. An accuracy below the curve's first point is reached with at most as many
labels as that has, one above all points with more than the last: n_hat is then that bound.

The interval inverts the curve in every resample of the lifts, deviations widened as theirs are, and takes percentiles
of n_hat: where 2.5 % of resamples leave the curve at one end, the interval is open there. The verdict uses the
percentiles before they are cut at the curve's ends. Draws of labels are taken as independent between the two, though
they are the same: with two draws or more the interval is conservative. With one draw of few labels it does not cover
the draw. Verdicts are not corrected for multiple testing.
"""

import math

import numpy as np
import pandas as pd

from stages.comparison.estimates import EDGES, BootstrapEstimate, Estimates, widening
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS, LABELS_SAVED
from stages.probing.tables import FINETUNE, FINETUNED_LAYER
from stages.study.labels_saved import COSTS, NOT_SHOWN, SAVES
from stages.study.representations import LABELLED
from stages.study.vocabulary import DOMAINS

SCRATCH = ("random", "rgb")  # not pretrained: to fine-tune them is to train from scratch
AT_MOST, MORE_THAN = "at most", "more than"


def labels_saved_table(representations: list[ProbedRepresentation], estimates: Estimates) -> pd.DataFrame:
    """Labels that every pretrained encoder saves over each network from scratch, at each number of labels.

    Args:
        representations: as compared; those that were fine-tuned count. An encoder that was pretrained with labels has
            no row.
        estimates: by domain, then by representation, layer, `FINETUNE` and shots.

    Returns:
        `LABELS_SAVED`, fewest labels first: numbers of labels are a class. An end of an interval is missing where it is
        beyond the curve. `draws` is how many draws of the labels, or seeds with all labels, there were.

    Raises:
        KeyError: `estimates` lack fine-tuning of one of them.
    """
    finetuned = {each.name: each for each in representations if each.finetuned}
    pretrained = [name for name in finetuned if name not in (*SCRATCH, *LABELLED)]
    rows = []
    for domain in DOMAINS:
        for name in pretrained:
            for over in (scratch for scratch in SCRATCH if scratch in finetuned):
                shots = finetuned[over].finetuned.few_shot[domain]
                labels = np.array([few.labels for few in shots])
                finetuned_estimates, curve = (
                    [estimates[domain][arm, FINETUNED_LAYER, FINETUNE, few.shots] for few in shots]
                    for arm in (name, over)
                )
                for number, few in enumerate(shots):
                    columns = {"domain": domain, "representation": name, "over": over, "shots": few.shots}
                    columns["draws"] = few.hits.shape[1]
                    rows.append(columns | _saved(finetuned_estimates[number], curve, labels, number))
    return LABELS_SAVED.frame(rows).round(DIGITS)


def labels_to_reach(accuracy: np.ndarray, curve: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """With how many labels each curve first reaches an accuracy, linear in log2(labels) between its points.

    Args:
        accuracy: (R,).
        curve: (R, K), the accuracy of each curve with `labels`.
        labels: (K,), ascending.

    Returns:
        (R,) float64: 0 where the first point is above the accuracy already, infinite where no point reaches it.

    >>> labels_to_reach(np.array([0.5, 0.1, 0.9]), np.array([[0.2, 0.4, 0.6]] * 3), np.array([1, 4, 16])).tolist()
    [8.0, 0.0, inf]
    """
    reached = curve >= accuracy[:, None]
    after = reached.argmax(axis=1)
    before, rows, steps = np.maximum(after - 1, 0), np.arange(len(curve)), np.log2(labels)
    low, high = curve[rows, before], curve[rows, after]
    share = np.divide(accuracy - low, high - low, out=np.ones(len(curve)), where=high > low)
    needed = np.exp2(steps[before] + share * (steps[after] - steps[before]))
    needed[(after == 0) & (curve[:, 0] == accuracy)] = labels[0]
    needed[(after == 0) & (curve[:, 0] > accuracy)] = 0.0
    needed[~reached.any(axis=1)] = math.inf
    return needed


def _saved(estimate: BootstrapEstimate, curve: list[BootstrapEstimate], labels: np.ndarray, number: int) -> dict:
    """The numbers of a row: of an accuracy with `labels[number]` labels, against a curve over `labels`."""
    means = np.array([[point.images.mean() for point in curve]])
    accuracy = estimate.images.mean()
    needed = float(labels_to_reach(np.array([accuracy]), means, labels)[0])
    bound = AT_MOST if needed == 0 else MORE_THAN if math.isinf(needed) else ""
    widened = widening((estimate - curve[number]).interval().freedom)
    drawn = labels_to_reach(
        accuracy + widened * (estimate.by_image + estimate.by_seed),
        means + widened * np.stack([point.by_image + point.by_seed for point in curve], axis=1),
        labels,
    )
    low, high = np.quantile(drawn, EDGES, method="inverted_cdf")
    n, n_hat = labels[number], np.clip(needed, labels[0], labels[-1])
    verdict = SAVES if low > n else COSTS if high < n else NOT_SHOWN
    # Nothing is known below the curve's first point, nor above its last.
    low = math.nan if low < labels[0] else min(low, labels[-1])
    high = math.nan if high > labels[-1] else max(high, labels[0])
    return {
        "labels": n, "accuracy": accuracy, "labels_from_scratch": n_hat, "bound": bound,
        "from_scratch_low": low, "from_scratch_high": high,
        "utility": n_hat / n - 1, "utility_low": low / n - 1, "utility_high": high / n - 1, "verdict": verdict,
    }  # fmt: skip
