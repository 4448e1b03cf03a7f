"""Which classes are taken for which: by the conv probe on the primary endpoint's layer, with the first seeds."""

import pandas as pd

from stages.comparison.predictions import Predictions
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import CONFUSED, DIGITS
from stages.study.vocabulary import DOMAINS

MOST = 10


def confusion(predictions: Predictions) -> pd.DataFrame:
    """actual,predicted of each test image, in the form of DVC's `confusion` template."""
    return pd.DataFrame({"actual": predictions.labels, "predicted": predictions.predicted})


def most_confused(representations: list[ProbedRepresentation]) -> pd.DataFrame:
    """The ten ordered pairs of different classes that were confused most, a domain and representation.

    Returns:
        `CONFUSED`: `count` test images of class `label` were taken for `predicted`, `share` of all of that class. Most
        first, of equals the larger share, then by name; fewer than ten where fewer pairs were confused.
    """
    tables = []
    for domain in DOMAINS:
        for representation in representations:
            shown = confusion(representation.predictions[domain]).rename(columns={"actual": "label"})
            sizes = shown["label"].value_counts()
            pairs = shown[shown["label"] != shown["predicted"]].value_counts().reset_index(name="count")
            pairs["share"] = pairs["count"] / pairs["label"].map(sizes).astype(float)
            pairs = pairs.sort_values(["count", "share", "label", "predicted"], ascending=[False, False, True, True])
            tables.append(pairs.head(MOST).assign(domain=domain, representation=representation.name))
    return pd.concat(tables, ignore_index=True)[CONFUSED.names].round(DIGITS)
