"""Accuracy against how many labels a class a ridge probe was given."""

import pandas as pd

from stages.comparison.estimates import Estimates
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS, LABEL_EFFICIENCY
from stages.study.vocabulary import DOMAINS

HEAD = "few_shot"  # in the keys of estimates, with the shots behind it


def label_efficiency(representations: list[ProbedRepresentation], estimates: Estimates) -> pd.DataFrame:
    """Mean over pretraining seeds and draws of labels, with 95 % intervals over images, pretraining seeds and draws.

    Which labels were drawn is a seed too, crossed with pretraining seeds: every pretraining meets the same draws. With
    `all` labels there is one draw, and the interval does not account for others.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer, `HEAD` and shots.

    Returns:
        `LABEL_EFFICIENCY`, fewest labels first. An encoder has all views, even where they are one layer; pixels have
        `primary` only. `shots` is text (1, 5, ..., `all`), `labels` their mean number a class.
    """
    rows = []
    for domain in DOMAINS:
        for representation in representations:
            for view, layer in representation.views(domain).items():
                for few in representation.few_shot[domain, layer]:
                    accuracy, low, high, *_ = estimates[domain][representation.name, layer, HEAD, few.shots].interval()
                    rows.append((domain, representation.name, layer, view, few.shots, few.labels, accuracy, low, high))
    return LABEL_EFFICIENCY.frame(rows).round(DIGITS)
