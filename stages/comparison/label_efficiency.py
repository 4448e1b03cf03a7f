"""Label efficiency: accuracy by labels a class, of the ridge probe and of fine-tuning."""

import pandas as pd

from stages.comparison.estimates import Estimates
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS, LABEL_EFFICIENCY
from stages.probing.tables import DEPTH_HEAD, FINETUNE
from stages.study.vocabulary import DOMAINS

HEAD = "few_shot"  # in the keys of estimates, with the shots behind it
KEYS = {DEPTH_HEAD: HEAD, FINETUNE: FINETUNE}  # of the heads that are fitted to few labels


def label_efficiency(representations: list[ProbedRepresentation], estimates: Estimates) -> pd.DataFrame:
    """Mean over pretraining seeds and draws of labels, with 95 % intervals over images, pretraining seeds and draws.

    The draw of labels is a seed, too, crossed with pretraining seeds: all pretrainings share the draws. With `all`
    labels there is one draw, and the interval does not account for others; that of fine-tuning is then over its seeds.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer, `HEAD` or `FINETUNE`, and shots.

    Returns:
        `LABEL_EFFICIENCY`, fewest labels first. `head` is the ridge probe or fine-tuning. An encoder has all views,
        even where they are one layer; pixels, and what is fine-tuned, have `primary` only. `shots` is text (1, 5, ...,
        `all`), `labels` their mean number a class.
    """
    rows = []
    for domain in DOMAINS:
        for head, key in KEYS.items():
            for representation in representations:
                for view, layer in representation.views(domain, head).items():
                    for few in representation.by_shots(domain, layer, head):
                        estimate = estimates[domain][representation.name, layer, key, few.shots]
                        names = (domain, head, representation.name, layer, view)
                        rows.append((*names, few.shots, few.labels, *estimate.interval()[:3]))
    return LABEL_EFFICIENCY.frame(rows).round(DIGITS)
