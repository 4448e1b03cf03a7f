"""Everything that the report is made from, read from the files of the stages before it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.comparison.tables import (
    ACCURACY,
    COMPARISON,
    CONFUSED,
    CURVES,
    DEPTH,
    FEW_SHOT_LIFTS,
    LABEL_EFFICIENCY,
    LABELS_SAVED,
    LIFTS,
    RATIOS,
    SEEN_CLASSES,
    TAKEAWAYS,
)
from stages.formats.json import read_json
from stages.painting.tables import SCORES
from stages.study.vocabulary import DOMAINS


@dataclass(frozen=True)
class StudyResults:
    """The tables have the columns of `stages.comparison.tables` and `stages.painting.tables`, and may have no rows.

    Attributes:
        chance: accuracy of guessing, by domain, for the domains that say it.
        comparison: means over seeds, one row a domain, head, representation and layer.
        seeds: (pretraining seeds, probe seeds) behind those rows, the most that any has.
        accuracy: the same means as charts take them, with the view of each layer.
        quality: `metrics/colorization.json`: in_domain and out_of_domain, painter, score.
        collapsed: the objectives that painted one colour everywhere.
        scores: `SCORES` of each objective that painted.
        training: per encoder that was trained, its loss an epoch: step, and train, validation where logged.
        online: the online probe's `validation_accuracy` by domain, representation and epoch; 0: untrained.
    """

    chance: dict[str, float]
    comparison: pd.DataFrame
    seeds: tuple[int, int]
    accuracy: pd.DataFrame
    lifts: pd.DataFrame
    ratios: pd.DataFrame
    efficiency: pd.DataFrame
    few_shot_lifts: pd.DataFrame
    labels_saved: pd.DataFrame
    depth: pd.DataFrame
    curves: pd.DataFrame
    confused: pd.DataFrame
    quality: dict[str, dict[str, dict[str, float]]]
    collapsed: list[str]
    scores: dict[str, pd.DataFrame]
    training: dict[str, pd.DataFrame]
    online: pd.DataFrame
    seen_classes: pd.DataFrame
    takeaways: pd.DataFrame


def read_results(objectives: list[str], controls: list[str]) -> StudyResults:
    """Read metrics/, data/comparison/, data/quality/ and data/training/ of the project's root.

    Args:
        objectives, controls: the encoders that the parameters name; what was left of others is not read.

    Raises:
        StageError: when a file of `compare` or `evaluate_colorization` is missing or is not what they write.
    """
    cells = COMPARISON.read("metrics/comparison.csv")
    by_seed = cells[cells["seed"] != "mean"]
    headline = read_json("metrics/comparison.json")
    quality = read_json("metrics/colorization.json")
    collapsed = [name for name, one_color in quality.pop("collapsed", {}).items() if one_color]
    scores = {name: Path("data/quality", name, "scores.csv") for name in objectives}
    training = {name: _read_losses(Path("data/training", name)) for name in [*controls, *objectives]}
    return StudyResults(
        chance={d: headline[names.key]["chance"] for d, names in DOMAINS.items() if names.key in headline},
        comparison=cells[cells["seed"] == "mean"].reset_index(drop=True),
        seeds=(by_seed["pretraining_seed"].nunique(), by_seed["seed"].nunique()),
        accuracy=ACCURACY.read("metrics/accuracy.csv"),
        lifts=LIFTS.read("metrics/lifts.csv"),
        ratios=RATIOS.read("metrics/ratios.csv"),
        efficiency=LABEL_EFFICIENCY.read("metrics/label_efficiency.csv"),
        few_shot_lifts=FEW_SHOT_LIFTS.read("metrics/few_shot_lifts.csv"),
        labels_saved=LABELS_SAVED.read("metrics/labels_saved.csv"),
        seen_classes=SEEN_CLASSES.read("metrics/seen_classes.csv"),
        takeaways=TAKEAWAYS.read("data/comparison/takeaways.csv"),
        depth=DEPTH.read("metrics/depth.csv"),
        curves=CURVES.read("data/comparison/curves.csv"),
        confused=CONFUSED.read("data/comparison/confused.csv"),
        quality=quality,
        collapsed=collapsed,
        scores={name: SCORES.read(path) for name, path in scores.items() if path.exists()},
        training={name: losses for name, losses in training.items() if len(losses)},
        online=_read_online_probes([*controls, *objectives]),
    )


def _read_losses(folder: Path) -> pd.DataFrame:
    """DVCLive's series of the loss that is minimised: step, and one column for each subset that has one."""
    losses = pd.DataFrame({"step": []})
    for subset in ("train", "validation"):
        path = folder / f"plots/metrics/{subset}/loss.tsv"
        if path.exists():
            series = pd.read_csv(path, sep="\t")[["step", "loss"]].rename(columns={"loss": subset})
            losses = losses.merge(series, on="step", how="outer")
    return losses.astype(float).sort_values("step", ignore_index=True)


def _read_online_probes(encoders: list[str]) -> pd.DataFrame:
    """DVCLive's series of the online probe, if any: domain, representation, epoch, validation_accuracy."""
    rows = []
    for domain in DOMAINS:
        for name in encoders:
            path = Path("data/training", name, f"plots/metrics/online_probe/{domain}.tsv")
            if path.exists():
                series = pd.read_csv(path, sep="\t")
                rows += [(domain, name, *row) for row in zip(series["step"], series[domain], strict=True)]
    return pd.DataFrame(rows, columns=["domain", "representation", "epoch", "validation_accuracy"])
