"""What a row of metrics/labels_saved.csv allows to say."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame, Series

# Verdicts on the labels that pretraining saves.
SAVES, COSTS, NOT_SHOWN = "saves labels", "costs labels", "not shown"


def with_fewest_labels(table: DataFrame, domain: str) -> DataFrame:
    """Of each encoder and network from scratch the row of a domain with the fewest labels: the first in the table."""
    return table[table["domain"] == domain].drop_duplicates(["representation", "over"])


def saved_sentence(row: Series) -> str:
    """With how many labels training from scratch does as well as this encoder does with few, and what that saves."""
    bound = f"{row['bound']} " if row["bound"] else ""
    drawn = ", of one draw of them" if row["draws"] == 1 and row["shots"] != "all" else ""
    text = (
        f"Fine-tuned on {row['labels']:.3g} labels a class, {row['representation']} is right on "
        f"{100 * row['accuracy']:.1f} % of test images; {row['over']} from scratch takes {bound}"
        f"{row['labels_from_scratch']:.3g} labels a class for that"
    )
    return f"{text} (95 % interval {saved_range(row)}{drawn}): {_verdict(row)}."


def saved_range(row: Series) -> str:
    """The 95 % interval of the labels from scratch, which may be open at an end."""
    low, high = row["from_scratch_low"], row["from_scratch_high"]
    if isnan(low) and isnan(high):
        return "open at both ends"
    if isnan(low):
        return f"up to {high:.3g}"
    return f"{low:.3g} or more" if isnan(high) else f"{low:.3g} to {high:.3g}"


def _verdict(row: Series) -> str:
    """What the interval shows: pretraining saves labels, costs some, or neither is shown."""
    if row["verdict"] == SAVES:
        saved = row["labels_from_scratch"] - row["labels"]
        number = f"{'more than ' if row['bound'] else ''}{saved:.3g} labels a class" if saved > 0 else "labels"
        return f"pretraining saves {number}"
    if row["verdict"] == COSTS:
        return "pretraining costs labels"
    return "that it saves labels is not shown"
