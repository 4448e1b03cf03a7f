"""The comparison in a dozen scalars a domain, for `dvc metrics diff` and `dvc exp show`."""

import pandas as pd

from stages.comparison.lifts import typical_detectable

LIFTS_OVER = ("rgb", "lightness", "random", "reconstruction")
EACH_OVER = ("rgb", "lightness")  # of every objective, whose other lifts are in metrics/lifts.csv
VIEWS = {"headline": "lift", "best": "best_layer_lift"}
DIGITS = 6


def headline(means: pd.DataFrame, lifts: pd.DataFrame, chance: dict[str, float]) -> dict:
    """The scalars of metrics/comparison.json: the conv probe's accuracies, the lifts over pixels, and chance.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.
        chance: accuracy of guessing, by domain.

    Returns:
        By `in_domain` and `out_of_domain`: `<representation>.accuracy` and `best_layer_accuracy`; of each objective
        `lift_over_<pixels>` and `best_layer_lift_over_<pixels>`; `lift_over_<representation>`, colorization's, where it
        is compared.
    """
    scalars = {}
    conv = means[means["head"] == "conv"]
    for domain, group in (("in", "in_domain"), ("out", "out_of_domain")):
        found = scalars[group] = {"chance": round(chance[domain], DIGITS)}
        for row in conv[conv["domain"] == domain].itertuples():
            own = found.setdefault(row.representation, {})
            own["accuracy" if row.view == "headline" else "best_layer_accuracy"] = row.accuracy
            if row.view == "headline" and row.representation in LIFTS_OVER and pd.notna(row.lift):
                found[f"lift_over_{row.representation}"] = row.lift
        own = lifts[(lifts["domain"] == domain) & (lifts["head"] == "conv") & lifts["over"].isin(EACH_OVER)]
        for row in own.itertuples():
            found[row.representation][f"{VIEWS[row.view]}_over_{row.over}"] = row.lift
        if (detectable := typical_detectable(lifts, domain)) is not None:
            found["minimum_detectable"] = detectable
    return scalars
