"""The comparison as text, for whoever watches the stage."""

import numpy as np
import pandas as pd

from stages.comparison.cells import SUBJECT

TITLES = {"in": "In-domain (classes that the autoencoder saw)", "out": "Out of domain (held-out classes)"}


def comparison_text(means: pd.DataFrame, classes: dict[str, int]) -> str:
    """Accuracies in percent with half their 95 % intervals, and the conv probe's lifts, a block a domain.

    Args:
        means: the rows over seeds of `stages.comparison.cells.comparison_cells`.
        classes: how many classes each domain has.
    """
    lines = []
    for domain, title in TITLES.items():
        own = means[means["domain"] == domain]
        lines += [
            f"{title}: test accuracy in % ± half the 95 % interval over images.",
            f"Guessing among {classes[domain]} classes is right in {100 / classes[domain]:.1f} % of cases.",
            f"  {'representation':<18}{'conv probe':>14}{'linear probe':>16}   {SUBJECT}'s lift (conv)",
        ]
        for name in dict.fromkeys(own["representation"]):
            rows = own[own["representation"] == name].set_index("head")
            conv, linear = (_percent(rows.loc[head], "accuracy") for head in ("conv", "linear"))
            lines.append(f"  {name:<18}{conv:>14}{linear:>16}   {_lift(rows.loc['conv'])}".rstrip())
        lines.append("")
    return "\n".join(lines)


def _percent(row: pd.Series, column: str) -> str:
    half = (row[f"{column}_high"] - row[f"{column}_low"]) / 2
    return f"{100 * row[column]:.1f} ± {100 * half:.1f}"


def _lift(row: pd.Series) -> str:
    if not np.isfinite(row["lift"]):
        return ""
    return f"{100 * row['lift']:+.1f} ({100 * row['lift_low']:+.1f} to {100 * row['lift_high']:+.1f})"
