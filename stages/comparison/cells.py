"""Every number of the comparison as one tidy table."""

import pandas as pd

from stages.comparison.estimates import Column
from stages.comparison.predictions import HEADS
from stages.comparison.representations import Representation
from stages.comparison.tables import COMPARISON
from stages.study.vocabulary import DOMAINS, HEADLINE_LAYERS, SUBJECT

DIGITS = 6


def comparison_cells(representations: list[Representation], columns: dict[str, dict[tuple, Column]]) -> pd.DataFrame:
    """A row for each domain, head, representation, layer, pretraining seed and seed, and a row `mean` over seeds.

    Layers are the headline and, where it is another, the best. `mean` rows carry the 95 % intervals of
    `stages.comparison.estimates` and, of headline layers where colorization is compared, its lift: colorization's
    accuracy minus the row's.

    Args:
        representations: as compared.
        columns: by domain, then by representation, layer and head.

    Returns:
        The table `COMPARISON`, rounded to 6 digits; NaN where a row has no such number.
    """
    rows = []
    for domain in DOMAINS:
        for head in HEADS:
            for own in representations:
                for layer in own.layers[domain].shown:
                    cell = {"domain": domain, "head": head, "representation": own.name, "layer": layer}
                    scores = own.predictions[domain].scores[layer, head]
                    by_seed = {
                        name: part.mean(axis=2)
                        for name, part in zip(("accuracy", "top_5", "loss"), scores, strict=True)
                    }
                    for pretraining_seed, seed in pd.MultiIndex.from_product(map(range, scores.hit.shape[:2])):
                        names = {"pretraining_seed": str(pretraining_seed), "seed": str(seed)}
                        numbers = {name: part[pretraining_seed, seed] for name, part in by_seed.items()}
                        rows.append(cell | names | numbers)
                    mean = {"pretraining_seed": "mean", "seed": "mean"}
                    mean |= {name: part.mean() for name, part in by_seed.items()}
                    column = columns[domain][own.name, layer, head]
                    _, mean["accuracy_low"], mean["accuracy_high"], *_ = column.estimate()
                    subject = columns[domain].get((SUBJECT, HEADLINE_LAYERS["encoder"], head))
                    if subject and own.name != SUBJECT and layer == own.layers[domain].headline:
                        mean["lift"], mean["lift_low"], mean["lift_high"], *_ = (subject - column).estimate()
                    rows.append(cell | mean)
    return COMPARISON.frame(rows).round(DIGITS)


def mean_rows(cells: pd.DataFrame, representations: list[Representation]) -> pd.DataFrame:
    """The rows over seeds, a row a view: `COMPARISON` with a column `view` after `layer`.

    An encoder has the views `headline` and `best`, even where both are one layer; pixels have `headline` only.
    """
    means = cells[cells["seed"] == "mean"]
    views = pd.DataFrame(
        [
            (domain, own.name, layer, view)
            for domain in DOMAINS
            for own in representations
            for view, layer in own.views(domain).items()
        ],
        columns=["domain", "representation", "layer", "view"],
    )
    shown = means.merge(views, on=["domain", "representation", "layer"], how="left")
    shown.insert(4, "view", shown.pop("view"))
    return shown
