"""The comparison in a few scalars an arm and domain, for `dvc metrics diff` and `dvc exp show`."""

import pandas as pd

from stages.comparison.lifts import typical_detectable
from stages.comparison.primary import Endpoint, primary_results, primary_scalars
from stages.comparison.tables import DIGITS
from stages.probing.tables import FINETUNE
from stages.study.labels_saved import with_fewest_labels
from stages.study.vocabulary import DOMAINS

LIFTS_OVER = ("rgb", "lightness", "random", "reconstruction")
EACH_OVER = "rgb"  # of every objective; metrics/lifts.csv has the other lifts
PREFIX = {"primary": "", "latent": "latent_", "best": "best_layer_"}


def headline(
    means: pd.DataFrame,
    lifts: pd.DataFrame,
    ratios: pd.DataFrame,
    labels_saved: pd.DataFrame,
    chance: dict[str, float],
    endpoint: Endpoint,
) -> dict:
    """The scalars of metrics/comparison.json: the primary endpoint, accuracies under its head, lifts, and chance.

    Args:
        means: as by `stages.comparison.cells.mean_rows`.
        lifts: as by `stages.comparison.lifts.lift_table`.
        ratios: as by `stages.comparison.ratios.ratio_table`.
        labels_saved: as by `stages.comparison.labels_saved.labels_saved_table`.
        chance: accuracy of guessing, by domain.
        endpoint: the primary endpoint.

    Returns:
        `primary`, as by `primary_scalars`, where an objective was probed. By `in_domain` and `out_of_domain`:
        `<representation>.accuracy` on the primary endpoint's layer, `latent_accuracy` and `best_layer_accuracy`; of
        each objective `lift_over_rgb`, `latent_lift_over_rgb` and `best_layer_lift_over_rgb`; but the subject's on the
        primary endpoint's layer are `lift_over_<representation>` of the domain. Beside its lift over rgb stand
        `ratio_to_rgb` and `chance_corrected_ratio_to_rgb`, where they are defined. Of what was fine-tuned
        `finetune.<representation>.accuracy`, and with the fewest labels that it was fine-tuned on the labels a class
        that its pretraining saves, `labels_saved_over_<random or rgb>`, where the curve from scratch reaches it.
    """
    results = primary_results(means, lifts)
    scalars = {"primary": primary_scalars(results)} if len(results) else {}
    cells = means[means["head"] == endpoint.head]
    for domain, (group, *_) in DOMAINS.items():
        metrics = scalars[group] = {"chance": round(chance[domain], DIGITS)}
        for row in cells[cells["domain"] == domain].itertuples():
            metrics.setdefault(row.representation, {})[f"{PREFIX[row.view]}accuracy"] = row.accuracy
            if row.view == "primary" and row.representation in LIFTS_OVER and pd.notna(row.lift):
                metrics[f"lift_over_{row.representation}"] = row.lift
        tuned = means[(means["domain"] == domain) & (means["head"] == FINETUNE)]
        if len(tuned):
            metrics[FINETUNE] = {row.representation: {"accuracy": row.accuracy} for row in tuned.itertuples()}
        saved = with_fewest_labels(labels_saved, domain)
        for row in saved[saved["bound"] == ""].itertuples():
            value = round(row.labels_from_scratch - row.labels, DIGITS)
            metrics[FINETUNE][row.representation][f"labels_saved_over_{row.over}"] = value
        rows = lifts[(lifts["domain"] == domain) & (lifts["head"] == endpoint.head) & (lifts["over"] == EACH_OVER)]
        for row in rows.itertuples():
            if (row.representation, row.view) != (endpoint.subject, "primary"):  # stands above
                metrics[row.representation][f"{PREFIX[row.view]}lift_over_{EACH_OVER}"] = row.lift
        rows = ratios[(ratios["domain"] == domain) & (ratios["head"] == endpoint.head) & (ratios["over"] == EACH_OVER)]
        for row in rows[(rows["representation"] == endpoint.subject) & (rows["view"] == "primary")].itertuples():
            defined = {"ratio": row.ratio, "chance_corrected_ratio": row.chance_corrected}
            metrics |= {f"{name}_to_{EACH_OVER}": value for name, value in defined.items() if pd.notna(value)}
        if (detectable := typical_detectable(lifts, domain, endpoint.head)) is not None:
            metrics["minimum_detectable"] = detectable
    return scalars
