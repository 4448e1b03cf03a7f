"""The comparison in a dozen scalars a domain, for `dvc metrics diff` and `dvc exp show`."""

import pandas as pd

from stages.comparison.lifts import typical_detectable

LIFTS_OVER = ("rgb", "lightness", "random", "reconstruction")
DIGITS = 6


def headline(means: pd.DataFrame, lifts: pd.DataFrame, chance: dict[str, float]) -> dict:
    """The scalars of metrics/comparison.json: the conv probe's accuracies, colorization's lifts, and chance.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.
        chance: accuracy of guessing, by domain.

    Returns:
        By `in_domain` and `out_of_domain`; no lifts where colorization is not compared.
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
        if (detectable := typical_detectable(lifts, domain)) is not None:
            found["minimum_detectable"] = detectable
    return scalars
