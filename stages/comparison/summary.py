"""The comparison as text, for whoever watches the stage."""

import textwrap

import pandas as pd

from stages.comparison.lifts import ALPHA, typical_detectable
from stages.study.vocabulary import SUBJECT

WIDTH = 110
TITLES = {"in": "In-domain (classes that the autoencoder saw)", "out": "Out of domain (held-out classes)"}


def comparison_text(means: pd.DataFrame, lifts: pd.DataFrame, classes: dict[str, int]) -> str:
    """Accuracies in percent, colorization's lifts, and what each encoder beats, a block a domain.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.
        classes: how many classes each domain has.
    """
    lines = []
    for domain, title in TITLES.items():
        rows = means[means["domain"] == domain]
        lines += [
            f"{title}: test accuracy in % ± half the 95 % interval.",
            f"Chance: {100 / classes[domain]:.1f} % ({classes[domain]} classes).",
            f"  {'representation':<21}{'conv':>11}  {'on its best layer':<20}{'linear':>6}{'k-NN':>7}{'ridge':>7}"
            f"   {SUBJECT}'s lift (conv)",
        ]
        for name in dict.fromkeys(rows["representation"]):
            cells = rows[rows["representation"] == name].set_index(["view", "head"])
            conv, best = cells.loc[("headline", "conv")], ""
            if ("best", "conv") in cells.index:
                best = f"{_percent(cells.loc[('best', 'conv')])} {cells.loc[('best', 'conv'), 'layer']}"
            others = (cells.loc[("headline", head), "accuracy"] for head in ("linear", "knn", "ridge"))
            linear, knn, ridge = (f"{100 * accuracy:.1f}" for accuracy in others)
            line = f"  {name:<21}{_percent(conv):>11}  {best:<20}{linear:>6}{knn:>7}{ridge:>7}   {_lift(conv)}"
            lines.append(line.rstrip())
        lines += [*_wins(lifts, domain), ""]
    return "\n".join(lines)


def _wins(lifts: pd.DataFrame, domain: str) -> list[str]:
    """Which lifts of the conv probe are wins, and the minimum detectable lift."""
    if lifts.empty:
        return []
    conv = lifts[lifts["head"] == "conv"]
    tests = conv.drop_duplicates(["domain", "representation", "layer", "over", "over_layer"])
    lines = [f"  Wins (conv; interval above zero, p < {ALPHA:g} after Holm's correction for {len(tests)} tests):"]
    for (name, view), group in conv[conv["domain"] == domain].groupby(["representation", "view"], sort=False):
        place = "" if view == "headline" else " (best layers)"
        beaten, others = (", ".join(group.loc[group["win"] == win, "over"]) for win in (1, 0))
        text = f"{name}{place} over {beaten or 'none'}" + (f" (not {others})" if beaten and others else "")
        lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")
    detectable = typical_detectable(lifts, domain)
    lines.append(f"  Minimum detectable lift at 80 % power (median, uncorrected): {100 * detectable:.1f} points.")
    return lines


def _percent(row: pd.Series) -> str:
    half = (row["accuracy_high"] - row["accuracy_low"]) / 2
    return f"{100 * row['accuracy']:.1f} ± {100 * half:.1f}"


def _lift(row: pd.Series) -> str:
    if pd.isna(row["lift"]):
        return ""
    return f"{100 * row['lift']:+.1f} ({100 * row['lift_low']:+.1f} to {100 * row['lift_high']:+.1f})"
