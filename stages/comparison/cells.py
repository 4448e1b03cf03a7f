"""Every number of the comparison as one tidy table."""

import pandas as pd

from stages.comparison.estimates import Estimates
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import COMPARISON, DIGITS
from stages.probing.tables import FINETUNE, HEADS
from stages.study.vocabulary import DOMAINS


def comparison_cells(
    representations: list[ProbedRepresentation], estimates: Estimates, subject: str | None
) -> pd.DataFrame:
    """A row for each domain, head, representation, layer, pretraining seed and seed, and a row `mean` over seeds.

    Heads are the probes and fine-tuning, layers those of the views. `mean` rows carry the 95 % intervals of
    `stages.comparison.estimates`, those over another choice of classes (`_classes`) and, on the primary endpoint's
    layer, the subject's lift: its accuracy minus the row's.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer and head.
        subject: its lifts over the other representations are shown; None for no lifts.

    Returns:
        The table `COMPARISON`, rounded to 6 digits; NaN where a row has no such number.
    """
    rows = []
    by_name = {representation.name: representation for representation in representations}
    for domain in DOMAINS:
        for head in (*HEADS, FINETUNE):
            subject_layer = by_name[subject].views(domain, head).get("primary") if subject else None
            for representation in representations:
                for layer in representation.shown(domain, head):
                    cell = {"domain": domain, "head": head, "representation": representation.name, "layer": layer}
                    scores = representation.scores(domain, layer, head)
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
                    estimate = estimates[domain][representation.name, layer, head]
                    _, mean["accuracy_low"], mean["accuracy_high"], *_ = estimate.interval()
                    _, mean["accuracy_low_classes"], mean["accuracy_high_classes"], *_ = (
                        estimate.interval_over_classes()
                    )
                    is_primary = layer == representation.views(domain, head)["primary"]
                    if subject_layer and representation.name != subject and is_primary:
                        lift = estimates[domain][subject, subject_layer, head] - estimate
                        mean["lift"], mean["lift_low"], mean["lift_high"], *_ = lift.interval()
                    rows.append(cell | mean)
    return COMPARISON.frame(rows).round(DIGITS)


def mean_rows(cells: pd.DataFrame, representations: list[ProbedRepresentation]) -> pd.DataFrame:
    """The rows over seeds, a row a view: `COMPARISON` with a column `view` after `layer`.

    An encoder has all views, even where they are one layer; pixels, and what is fine-tuned, have
    `primary` only.
    """
    means = cells[cells["seed"] == "mean"]
    views = pd.DataFrame(
        [
            (domain, head, representation.name, layer, view)
            for domain in DOMAINS
            for head in (*HEADS, FINETUNE)
            for representation in representations
            for view, layer in representation.views(domain, head).items()
        ],
        columns=["domain", "head", "representation", "layer", "view"],
    )
    shown = means.merge(views, on=["domain", "head", "representation", "layer"], how="left")
    shown.insert(4, "view", shown.pop("view"))
    return shown
