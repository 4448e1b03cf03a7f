"""The report's tables: words and numbers in columns, as they are shown and as a spreadsheet takes them."""

from dataclasses import dataclass, field

import pandas as pd

from stages.reporting.answer import main_head
from stages.reporting.numbers import fixed, fixed_range, percent, percent_range, points, points_range, probability
from stages.reporting.results import StudyResults
from stages.study.heads import FINETUNED, HEADS
from stages.study.labels_saved import saved_range
from stages.study.representations import OBJECTIVES, sees_color
from stages.study.seen_classes import IMAGES
from stages.study.verdicts import BEHIND, WIN, verdict

MISSING = float("nan")
TESTED = ["lift", "from", "to", "other classes 95 %", "p", "adjusted p"]
TASKS = {"matched": "matched", "out": "held out"}  # of metrics/seen_classes.csv


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column heads its row.

    Attributes:
        words: the columns that hold words, and are set left.
        kinds: one a row: a class for its looks, or nothing.
    """

    caption: str
    columns: list[str]
    rows: list[list[str]]
    words: set[str] = field(default_factory=set)
    kinds: list[str] = field(default_factory=list)


def representation_table(results: StudyResults, domain: str, title: str) -> Table:
    """Accuracies of every representation and layer under every head, with their intervals."""
    means = results.comparison[results.comparison["domain"] == domain]
    heads = [head for head in HEADS | FINETUNED if (means["head"] == head).any()]
    rows = []
    for (name, layer), cells in means.groupby(["representation", "layer"], sort=False):
        row = [name, layer]
        for head in heads:
            cell = cells[cells["head"] == head]
            mean = cell.iloc[0] if len(cell) else pd.Series(dtype=float)
            low, high = mean.get("accuracy_low", MISSING), mean.get("accuracy_high", MISSING)
            row += [percent(mean.get("accuracy", MISSING)), percent_range(low, high)]
        rows.append([*row, sees(name)])
    headers = [part for head in heads for part in (head, f"{head} 95 %")]
    chance = f" Chance: {percent(results.chance[domain])} %." if domain in results.chance else ""
    caption = f"{title}: test accuracy in %, and its 95 % interval.{chance}"
    return Table(caption, ["representation", "layer", *headers, "sees"], rows, {"layer", "sees"})


def class_table(results: StudyResults, domain: str, title: str) -> Table:
    """The main head's accuracies with both intervals: over images of these classes, and over other classes, too."""
    means, head = results.comparison, main_head(results)
    means = means[(means["domain"] == domain) & (means["head"] == head)]
    rows = [
        [
            row.representation, row.layer, percent(row.accuracy),
            percent_range(row.accuracy_low, row.accuracy_high),
            percent_range(row.accuracy_low_classes, row.accuracy_high_classes),
        ]
        for row in means.itertuples()
    ]  # fmt: skip
    columns = ["representation", "layer", "accuracy", "these classes 95 %", "other classes 95 %"]
    caption = (
        f"{title}: test accuracy of the {HEADS.get(head, 'probes')} in %; of all probes in metrics/comparison.csv."
    )
    return Table(caption, columns, rows, {"layer"})


def ratio_table(results: StudyResults, domain: str, title: str) -> Table:
    """The main head's accuracies as multiples of those of pixels with colour, and above chance."""
    ratios, head = results.ratios, main_head(results)
    ratios = ratios[(ratios["domain"] == domain) & (ratios["head"] == head)]
    rows = [
        [
            row.representation, row.layer, row.over, row.view, points(row.lift),
            fixed(row.ratio, 2), fixed_range(row.ratio_low, row.ratio_high),
            fixed(row.chance_corrected, 2), fixed_range(row.chance_corrected_low, row.chance_corrected_high),
        ]
        for row in ratios.itertuples()
    ]  # fmt: skip
    columns = ["representation", "layer", "over", "view", "lift", "ratio", "ratio 95 %"]
    caption = (
        f"{title}: lifts of the {HEADS.get(head, 'probes')} in points, and ratios of accuracies, with chance and with "
        f"chance taken off both; of all probes in metrics/ratios.csv."
    )
    return Table(caption, [*columns, "above chance", "above chance 95 %"], rows, {"layer", "over", "view"})


def lift_table(results: StudyResults, domain: str, title: str) -> Table:
    """Lifts of a domain, with intervals, p values and verdicts: of the main head, and of primary views."""
    lifts = results.lifts[results.lifts["domain"] == domain]
    lifts = lifts[(lifts["view"] == "primary") | (lifts["head"] == main_head(results))]
    rows = [
        [
            *(lift[name] for name in ("representation", "layer", "over", "over_layer", "view", "head")),
            *_tested(lift), percent(lift["minimum_detectable"]), verdict(lift),
        ]
        for _, lift in lifts.iterrows()
    ]  # fmt: skip
    columns = ["representation", "layer", "over", "its layer", "view", "head", *TESTED]
    caption = (
        f"{title}: lifts in points, their 95 % intervals, and the minimum detectable lift at 80 % power; of all probes "
        f"and views in metrics/lifts.csv."
    )
    texts = {"layer", "over", "its layer", "view", "head", "verdict"}
    return Table(caption, [*columns, "detectable", "verdict"], rows, texts, _kinds(lifts))


def seen_class_tables(table: pd.DataFrame) -> list[Table]:
    """Accuracies in both tasks, and what it is worth to have seen the classes; without what has no row."""
    images = table[table["accounts_for"] == IMAGES]
    rows = []
    for name, cells in images[images["quantity"] == "accuracy"].groupby("representation", sort=False):
        cells = cells.set_index("task").reindex(list(TASKS))
        seen = [title for task, title in TASKS.items() if cells["seen"][task] == 1]
        shown = [(percent(cell.value), percent_range(cell.low, cell.high)) for cell in cells.itertuples()]
        rows.append([name, *(part for pair in shown for part in pair), seen[0] if seen else "neither"])
    columns = [part for title in TASKS.values() for part in (title, f"{title} 95 %")]
    caption = "Test accuracy in %, and its 95 % interval, in tasks of as many classes."
    accuracies = Table(caption, ["representation", *columns, "trained on"], rows, {"trained on"})
    rows = [
        [
            row.quantity, row.representation, row.over, TASKS.get(row.task, "both"), row.accounts_for,
            points(row.value), points_range(row.low, row.high), probability(row.p),
            points_range(row.low_90, row.high_90), probability(row.p_equivalence), percent(row.minimum_detectable),
            row.verdict,
        ]
        for row in table[table["quantity"] != "accuracy"].itertuples()
    ]  # fmt: skip
    columns = ["", "representation", "over", "classes", "accounts for", "points", "95 %", "p", "90 %", "p (TOST)"]
    caption = "Seen minus not seen, in points; tests of no effect, and of one as large as the margin (TOST)."
    words = {"representation", "over", "classes", "accounts for", "verdict"}
    effects = Table(caption, [*columns, "detectable", "verdict"], rows, words)
    return [each for each in (accuracies, effects) if each.rows]


def efficiency_table(results: StudyResults, domain: str, title: str) -> Table:
    """Accuracy against labels a class, on the primary endpoint's layer."""
    means = results.efficiency
    means = means[(means["domain"] == domain) & (means["view"] == "primary")]
    rows = [
        [
            row.representation, row.layer, row.head, row.shots, fixed(row.labels, 1), percent(row.accuracy),
            percent(row.accuracy_low), percent(row.accuracy_high),
        ]
        for row in means.itertuples()
    ]  # fmt: skip
    columns = ["representation", "layer", "head", "shots", "labels a class", "accuracy", "from", "to"]
    caption = f"{title}: test accuracy by labels a class in %; of all views in metrics/label_efficiency.csv."
    return Table(caption, columns, rows, {"layer", "head"})


def labels_saved_table(results: StudyResults, domain: str, title: str) -> Table:
    """With how many labels training from scratch is as accurate as each pretrained encoder is with some."""
    saved = results.labels_saved[results.labels_saved["domain"] == domain]
    rows = [
        [
            row["representation"], row["over"], row["shots"], fixed(row["labels"], 1), percent(row["accuracy"]),
            f"{row['bound']} {fixed(row['labels_from_scratch'], 1)}".strip(), saved_range(row),
            fixed(row["utility"], 2),
        ]
        for _, row in saved.iterrows()
    ]  # fmt: skip
    columns = ["representation", "over", "shots", "labels a class", "accuracy", "from scratch", "from scratch 95 %"]
    caption = (
        f"{title}: labels a class with which training from scratch is as accurate; utility: how many times as many "
        f"again; in metrics/labels_saved.csv."
    )
    return Table(caption, [*columns, "utility"], rows, {"over"})


def few_shot_lift_table(results: StudyResults, domain: str, title: str) -> Table:
    """Lifts with few labels on the primary endpoint's layer: intervals, p values and what they allow to say."""
    lifts = results.few_shot_lifts
    lifts = lifts[(lifts["domain"] == domain) & (lifts["view"] == "primary")]
    rows = [
        [
            *(lift[name] for name in ("representation", "layer", "over", "over_layer", "shots")),
            *_tested(lift), verdict(lift),
        ]
        for _, lift in lifts.iterrows()
    ]  # fmt: skip
    columns = ["representation", "layer", "over", "its layer", "labels a class", *TESTED]
    caption = (
        f"{title}: lifts of the ridge probe with few labels, in points; of all views in metrics/few_shot_lifts.csv."
    )
    texts = {"layer", "over", "its layer", "verdict"}
    return Table(caption, [*columns, "verdict"], rows, texts, _kinds(lifts))


def _tested(lift: pd.Series) -> list[str]:
    """The columns `TESTED` of a row of metrics/lifts.csv or few_shot_lifts.csv."""
    return [
        points(lift["lift"]), points(lift["lift_low"]), points(lift["lift_high"]),
        points_range(lift["lift_low_classes"], lift["lift_high_classes"]),
        probability(lift["p"]), probability(lift["p_adjusted"]),
    ]  # fmt: skip


def _kinds(lifts: pd.DataFrame) -> list[str]:
    return [{WIN: "win", BEHIND: "behind"}.get(verdict(lift), "undecided") for _, lift in lifts.iterrows()]


def depth_table(results: StudyResults, domain: str, title: str) -> Table:
    """Accuracy against depth."""
    means = results.depth[results.depth["domain"] == domain]
    rows = [
        [
            row.representation, row.layer, row.head, fixed(row.features, 0), percent(row.validation_accuracy),
            percent(row.cv_accuracy), percent(row.accuracy), percent(row.accuracy_low), percent(row.accuracy_high),
            "yes" if row.chosen else "",
        ]
        for row in means.itertuples()
    ]  # fmt: skip
    columns = ["representation", "layer", "head", "features", "validation", "cross-validated", "test", "from", "to"]
    caption = f"{title}: test accuracy in %, by layer; validation and cross-validation are the ridge probe's."
    return Table(caption, [*columns, "chosen"], rows, {"layer", "head", "chosen"})


def curve_table(results: StudyResults, domain: str, title: str) -> Table:
    """Validation accuracy of the conv probes an epoch, one column a representation."""
    return _curves(results.curves, domain, f"{title}: validation accuracy of the conv probe in %.")


def online_table(results: StudyResults, domain: str, title: str) -> Table:
    """Validation accuracy of the online probe an epoch of the encoders' training; epoch 0: untrained."""
    return _curves(
        results.online, domain, f"{title}: validation accuracy of the online probe in %; epoch 0: untrained."
    )


def _curves(curves: pd.DataFrame, domain: str, caption: str) -> Table:
    """One column a representation, one row an epoch."""
    curves = curves[curves["domain"] == domain]
    wide = curves.pivot_table(index="epoch", columns="representation", values="validation_accuracy", sort=False)
    rows = [[f"{epoch:g}", *map(percent, values)] for epoch, *values in wide.sort_index().itertuples()]
    return Table(caption, ["epoch", *wide.columns], rows)


def training_table(training: dict[str, pd.DataFrame]) -> Table:
    """Losses an epoch of every encoder."""
    rows = [
        [name, f"{row['step']:g}", *(fixed(row.get(subset, MISSING), 4) for subset in ("train", "validation"))]
        for name, losses in training.items()
        for _, row in losses.iterrows()
    ]
    return Table("Loss an epoch of each encoder.", ["encoder", "epoch", "training", "validation"], rows)


def quality_table(scores: dict[str, dict[str, float]], title: str) -> Table:
    """Scores of every painter; `truth` has those that a photograph has, too."""
    columns = {
        "psnr": ("PSNR (dB) ↑", lambda value: fixed(value, 2)),
        "ssim": ("SSIM ↑", lambda value: fixed(value, 3)),
        "lpips": ("LPIPS ↓", lambda value: fixed(value, 3)),
        "ab_rmse": ("ab RMSE ↓", lambda value: fixed(value, 2)),
        "auc": ("AuC ↑", lambda value: fixed(value, 3)),
        "auc_rebalanced": ("AuC rebalanced ↑", lambda value: fixed(value, 3)),
        "colorfulness": ("colourfulness", lambda value: fixed(value, 1)),
        "probe_accuracy": ("probe accuracy (%) ↑", percent),
    }
    known = {key: column for key, column in columns.items() if any(key in of_painter for of_painter in scores.values())}
    painters = [*OBJECTIVES, *(name for name in scores if name not in OBJECTIVES and name != "truth"), "truth"]
    order = [name for name in painters if name in scores]
    rows = [[name, *(show(scores[name].get(key, MISSING)) for key, (_, show) in known.items())] for name in order]
    caption = f"{title}: means over test images; ↑ higher is better, ↓ lower is better."
    return Table(caption, ["painter", *(header for header, _ in known.values())], rows)


def confused_table(confused: pd.DataFrame, representation: str, title: str) -> Table:
    """The pairs of classes that one representation's probe confuses most."""
    rows = [
        [row.label.replace("_", " "), row.predicted.replace("_", " "), fixed(row.times, 0), percent(row.share)]
        for row in confused.rename(columns={"count": "times"}).itertuples()
    ]
    columns = ["dish", "taken for", "images", "% of the dish"]
    return Table(f"{representation}: {title[0].lower()}{title[1:]}.", columns, rows, {"taken for"})


def sees(representation: str) -> str:
    """`colour` or `lightness`: what a representation is computed from."""
    return "colour" if sees_color(representation) else "lightness"
