"""What metrics/seen_classes.csv allows to say: does it matter whether the classes were seen?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame, Series

ALPHA = 0.05
# Verdicts on the effect of having seen the classes.
MATTERS, NEGLIGIBLE, EQUIVALENT, UNDECIDED = (
    "matters",
    "differs by less than the margin",
    "does not matter",
    "undecided",
)
# What an interval accounts for.
IMAGES, CLASSES = "images and seeds", "classes, images and seeds"


def verdict(
    low: float, high: float, p: float, low_90: float, high_90: float, p_equivalence: float, margin: float
) -> str:
    """Which of the verdicts the two tests allow, each at 5 %; each must agree with its interval, a bootstrap's.

    Args:
        low, high: the 95 % interval.
        low_90, high_90: the 90 % interval.
        p: of no effect.
        p_equivalence: of an effect as large as the margin or larger, in either direction.
        margin: in the intervals' unit.
    """
    differs = p < ALPHA and (low > 0 or high < 0)
    equivalent = p_equivalence < ALPHA and -margin < low_90 and high_90 < margin
    if differs:
        return NEGLIGIBLE if equivalent else MATTERS
    return EQUIVALENT if equivalent else UNDECIDED


def answer(table: DataFrame, margin: float) -> str:
    """The answer in a sentence or two; empty where the table has none.

    Args:
        table: `stages.comparison.tables.SEEN_CLASSES`.
        margin: `compare.equivalence`, in percentage points.
    """
    effects = table[table["quantity"] == "effect"].set_index("accounts_for")
    if len(effects):
        return f"{_effect(effects.loc[IMAGES], margin)} {_over_classes(effects.loc[CLASSES])}"
    differences = table[(table["quantity"] == "difference") & (table["accounts_for"] == IMAGES)]
    if differences.empty:
        return ""
    row = differences.iloc[0]
    accuracies = table[(table["quantity"] == "accuracy") & (table["representation"] == row["representation"])]
    accuracies = accuracies[accuracies["accounts_for"] == IMAGES].set_index("task")["value"]
    seen, unseen = (f"{100 * accuracies[task]:.1f} %" for task in ("matched", "out"))
    return (
        f"{row['representation']} is right on {seen} of test images of classes that it saw and on {unseen} of those of "
        f"as many held-out classes ({_points(row)}). That does not separate having seen classes from how hard they "
        f"are: the control swapped does."
    )


def _effect(row: Series, margin: float) -> str:
    if row["verdict"] == MATTERS:
        better = "better" if row["value"] > 0 else "worse"
        return f"It matters whether the classes were seen: they are recognised {better}, by {_points(row)}."
    if row["verdict"] == NEGLIGIBLE:
        return f"Whether the classes were seen makes a difference, but less than {margin:g} points: {_points(row)}."
    if row["verdict"] == EQUIVALENT:
        return (
            f"It does not matter whether the classes were seen: {_points(row)}; the 90 % interval, "
            f"{_range(row, '_90')}, lies within {margin:g} points of zero."
        )
    return (
        f"Whether it matters that the classes were seen is undecided: {_points(row)}; minimum detectable "
        f"effect at 80 % power: {100 * row['minimum_detectable']:.1f} points."
    )


def _over_classes(row: Series) -> str:
    return f"For another choice of classes: {_range(row)} points ({row['verdict']})."


def _points(row: Series) -> str:
    return f"{100 * row['value']:+.1f} points, 95 % interval {_range(row)}"


def _range(row: Series, level: str = "") -> str:
    return f"{100 * row[f'low{level}']:+.1f} to {100 * row[f'high{level}']:+.1f}"
