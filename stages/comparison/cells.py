"""Every number of the comparison as one tidy table, and the headline scalars taken from it."""

import numpy as np
import pandas as pd

from stages.comparison.bootstrap import percentile_interval, resampled_means
from stages.comparison.predictions import scores_of

SUBJECT = "colorization"  # lifts say what it adds over each other representation
DIGITS = 6
COLUMNS = [
    *("domain", "head", "representation", "seed", "accuracy", "top_5", "loss"),
    *("accuracy_low", "accuracy_high", "lift", "lift_low", "lift_high"),
]


def comparison_cells(predictions: dict[str, pd.DataFrame], *, resamples: int, seed: int) -> pd.DataFrame:
    """A row for each domain, head, representation and seed, and a row `mean` over seeds.

    `mean` rows carry 95 % percentile intervals of the paired bootstrap over test images, and, where
    colorization is compared, its lift: colorization's accuracy minus the row's. The intervals say how
    far the numbers would move with other test images of the same classes; an image's score is its mean over
    seeds first. They do not cover other seeds, for which see the rows by seed, nor another split into
    classes and probe images.

    Args:
        predictions: as by `stages.comparison.predictions.read_predictions`.
        resamples: of the bootstrap; every representation and head of a domain shares them.
        seed: of the study.

    Returns:
        Columns `COLUMNS`, rounded to 6 digits; NaN where a row has no such number.
    """
    names = list(predictions)
    table = next(iter(predictions.values()))
    rows = []
    for number, domain in enumerate(sorted(table["domain"].unique())):
        heads = sorted(table.loc[table["domain"] == domain, "head"].unique())
        scores = {(h, name): scores_of(predictions[name], domain, h) for h in heads for name in names}
        means = {key: score.hit.mean(axis=0) for key, score in scores.items()}
        columns = np.stack(list(means.values()), axis=1)
        resampled = resampled_means(columns, resamples=resamples, seed=[seed, number])
        drawn = dict(zip(means, resampled.T, strict=True))
        for (head, name), score in scores.items():
            cell = {"domain": domain, "head": head, "representation": name}
            by_seed = [part.mean(axis=1) for part in score]
            for index, (accuracy, top_5, loss) in enumerate(zip(*by_seed, strict=True)):
                row = {"seed": str(index), "accuracy": accuracy, "top_5": top_5, "loss": loss}
                rows.append(cell | row)
            accuracy, top_5, loss = (part.mean() for part in by_seed)
            low, high = percentile_interval(drawn[head, name])
            mean = {"seed": "mean", "accuracy": accuracy, "top_5": top_5, "loss": loss}
            mean |= {"accuracy_low": low, "accuracy_high": high}
            if SUBJECT in names and name != SUBJECT:
                low, high = percentile_interval(drawn[head, SUBJECT] - drawn[head, name])
                lift = scores[head, SUBJECT].hit.mean() - accuracy
                mean |= {"lift": lift, "lift_low": low, "lift_high": high}
            rows.append(cell | mean)
    return pd.DataFrame(rows, columns=COLUMNS).round(DIGITS)


def mean_rows(cells: pd.DataFrame) -> pd.DataFrame:
    """The rows over seeds: one for each domain, head and representation."""
    return cells[cells["seed"] == "mean"].reset_index(drop=True)


def headline(cells: pd.DataFrame, chance: dict[str, float]) -> dict:
    """The scalars of metrics/comparison.json: the conv probe's accuracies, its lifts, and chance.

    Args:
        cells: as by `comparison_cells`.
        chance: accuracy of guessing, by domain.
    """
    scalars = {}
    means = mean_rows(cells)
    for domain, group in (("in", "in_domain"), ("out", "out_of_domain")):
        scalars[group] = {"chance": round(chance[domain], DIGITS)}
        for row in means[(means["domain"] == domain) & (means["head"] == "conv")].itertuples():
            scalars[group][row.representation] = {"accuracy": row.accuracy}
            if np.isfinite(row.lift):
                scalars[group][f"lift_over_{row.representation}"] = row.lift
    return scalars
