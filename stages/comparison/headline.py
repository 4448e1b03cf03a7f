"""The comparison in a few scalars an arm and domain, for `dvc metrics diff` and `dvc exp show`."""

import pandas as pd

from stages.comparison.lifts import typical_detectable
from stages.comparison.tables import DIGITS
from stages.study.vocabulary import DOMAINS, SUBJECT

LIFTS_OVER = ("rgb", "lightness", "random", "reconstruction")
EACH_OVER = "rgb"  # of every objective; metrics/lifts.csv has the other lifts
VIEWS = {"headline": "lift", "best": "best_layer_lift"}


def headline(means: pd.DataFrame, lifts: pd.DataFrame, chance: dict[str, float]) -> dict:
    """The scalars of metrics/comparison.json: the conv probe's accuracies, the lifts over pixels, and chance.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.
        chance: accuracy of guessing, by domain.

    Returns:
        By `in_domain` and `out_of_domain`: `<representation>.accuracy` and `best_layer_accuracy`; of each objective
        `lift_over_rgb` and `best_layer_lift_over_rgb`; but colorization's, where it is compared, are
        `lift_over_<representation>` of the domain.
    """
    scalars = {}
    conv = means[means["head"] == "conv"]
    for domain, (group, *_) in DOMAINS.items():
        metrics = scalars[group] = {"chance": round(chance[domain], DIGITS)}
        for row in conv[conv["domain"] == domain].itertuples():
            accuracies = metrics.setdefault(row.representation, {})
            accuracies["accuracy" if row.view == "headline" else "best_layer_accuracy"] = row.accuracy
            if row.view == "headline" and row.representation in LIFTS_OVER and pd.notna(row.lift):
                metrics[f"lift_over_{row.representation}"] = row.lift
        rows = lifts[(lifts["domain"] == domain) & (lifts["head"] == "conv") & (lifts["over"] == EACH_OVER)]
        for row in rows.itertuples():
            if (row.representation, row.view) != (SUBJECT, "headline"):  # stands above
                metrics[row.representation][f"{VIEWS[row.view]}_over_{EACH_OVER}"] = row.lift
        if (detectable := typical_detectable(lifts, domain)) is not None:
            metrics["minimum_detectable"] = detectable
    return scalars
