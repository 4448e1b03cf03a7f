"""Everything that the report is made from, read from the files of the stages before it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.runtime.errors import StageError

# file -> (columns of text, columns of numbers); an empty number is NaN, a class may be called `nan`.
TABLES = {
    "metrics/comparison.csv": (
        "domain head representation layer pretraining_seed seed",
        "accuracy top_5 loss accuracy_low accuracy_high",
    ),
    "metrics/lifts.csv": (
        "domain head view representation layer over over_layer",
        "lift lift_low lift_high p p_holm win minimum_detectable",
    ),
    "metrics/label_efficiency.csv": (
        "domain representation layer view shots",
        "labels accuracy accuracy_low accuracy_high",
    ),
    "metrics/depth.csv": (
        "domain representation layer",
        "order features validation_accuracy accuracy accuracy_low accuracy_high chosen",
    ),
    "data/comparison/curves.csv": ("domain representation", "epoch validation_accuracy"),
    "data/comparison/confused.csv": ("domain representation label predicted", "count share"),
}
SCORES = ("image domain", "lpips psnr")


@dataclass(frozen=True)
class Evidence:
    """The tables have the columns of `TABLES` at least, and may have no rows.

    Attributes:
        chance: accuracy of guessing, by domain, for the domains that say it.
        comparison: the rows over seeds, one a domain, head, representation and layer.
        seeds: (pretraining seeds, probe seeds) behind those rows, the most that any has.
        quality: `metrics/colorization.json`: in_domain and out_of_domain, painter, score.
        collapsed: the objectives that painted one colour everywhere.
        scores: per painter that painted, a row a test image: image, domain, lpips, psnr.
        training: per encoder that was trained, its loss an epoch: step, and train, validation where logged.
    """

    chance: dict[str, float]
    comparison: pd.DataFrame
    seeds: tuple[int, int]
    lifts: pd.DataFrame
    efficiency: pd.DataFrame
    depth: pd.DataFrame
    curves: pd.DataFrame
    confused: pd.DataFrame
    quality: dict[str, dict[str, dict[str, float]]]
    collapsed: list[str]
    scores: dict[str, pd.DataFrame]
    training: dict[str, pd.DataFrame]


def read_evidence(objectives: list[str], controls: list[str]) -> Evidence:
    """Read metrics/, data/comparison/, data/quality/ and data/training/ of the project's root.

    Args:
        objectives, controls: the encoders that the parameters name; what was left of others is not read.

    Raises:
        StageError: when a file of `compare` or `evaluate_colorization` is missing or lacks a column.
    """
    tables = [_read_table(path, *columns) for path, columns in TABLES.items()]
    cells, lifts, efficiency, depth, curves, confused = tables
    by_seed = cells[cells["seed"] != "mean"]
    headline = _read_json("metrics/comparison.json")
    groups = {"in": "in_domain", "out": "out_of_domain"}
    quality = _read_json("metrics/colorization.json")
    collapsed = [name for name, one_color in quality.pop("collapsed", {}).items() if one_color]
    scores = {name: Path("data/quality", name, "scores.csv") for name in objectives}
    training = {name: _read_losses(Path("data/training", name)) for name in [*controls, *objectives]}
    return Evidence(
        chance={d: headline[group]["chance"] for d, group in groups.items() if "chance" in headline.get(group, {})},
        comparison=cells[cells["seed"] == "mean"].reset_index(drop=True),
        seeds=(by_seed["pretraining_seed"].nunique(), by_seed["seed"].nunique()),
        lifts=lifts,
        efficiency=efficiency,
        depth=depth,
        curves=curves,
        confused=confused,
        quality=quality,
        collapsed=collapsed,
        scores={name: _read_table(path, *SCORES) for name, path in scores.items() if path.exists()},
        training={name: losses for name, losses in training.items() if len(losses)},
    )


def _read_table(path: str | Path, text: str, numbers: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.astype(dict.fromkeys(text.split(), str))
        return table.assign(
            **{name: pd.to_numeric(table[name].mask(table[name] == "")).astype(float) for name in numbers.split()}
        )
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except (KeyError, ValueError) as error:
        problem = f"{path} is not the table that the report reads ({error})"
        raise StageError(f"{problem}; its columns are {text} {numbers}. Run `dvc repro`.") from None


def _read_json(path: str) -> dict:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it.") from None
    except json.JSONDecodeError as error:
        raise StageError(f"{path} is not JSON ({error}). Run `dvc repro`.") from None


def _read_losses(folder: Path) -> pd.DataFrame:
    """DVCLive's series of the loss that is minimised: step, and one column for each subset that has one."""
    losses = pd.DataFrame({"step": []})
    for subset in ("train", "validation"):
        path = folder / f"plots/metrics/{subset}/loss.tsv"
        if path.exists():
            series = pd.read_csv(path, sep="\t")[["step", "loss"]].rename(columns={"loss": subset})
            losses = losses.merge(series, on="step", how="outer")
    return losses.astype(float).sort_values("step", ignore_index=True)
