"""Accuracy against how many labels a class a ridge probe was given."""

import pandas as pd

from stages.comparison.estimates import Column
from stages.comparison.representations import Representation
from stages.comparison.tables import LABEL_EFFICIENCY
from stages.study.vocabulary import DOMAINS

DIGITS = 6
HEAD = "few_shot"  # in the keys of columns, with the shots behind it


def label_efficiency(representations: list[Representation], columns: dict[str, dict[tuple, Column]]) -> pd.DataFrame:
    """Mean over pretraining seeds and draws of labels, with 95 % intervals over images and seeds.

    Which labels were drawn is a seed too: with one pretraining seed the interval accounts for the draws, and with
    `all` labels, which have one draw, for images alone.

    Args:
        representations: as compared.
        columns: by domain, then by representation, layer, `HEAD` and shots.

    Returns:
        `LABEL_EFFICIENCY`, fewest labels first. An encoder has the views `headline` and `best`, even where both are one
        layer; pixels have `headline` only. `shots` is text (1, 5, ..., `all`), `labels` their mean number a class.
    """
    rows = []
    for domain in DOMAINS:
        for own in representations:
            for view, layer in own.views(domain).items():
                for few in own.few_shot[domain, layer]:
                    accuracy, low, high, *_ = columns[domain][own.name, layer, HEAD, few.shots].estimate()
                    rows.append((domain, own.name, layer, view, few.shots, few.labels, accuracy, low, high))
    return LABEL_EFFICIENCY.frame(rows).round(DIGITS)
