"""The right answers of the few-shot ridge probe, or of fine-tuning with few labels, on test images."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.comparison.layers import Layers
from stages.comparison.predictions import Predictions
from stages.formats.csv import Table
from stages.formats.npy import open_array
from stages.probing.tables import FEW_SHOT, FINETUNED_LAYER, FINETUNED_SHOTS
from stages.runtime.errors import StageError

ROUNDING = 1e-5  # accuracies are written with 6 significant digits


class FewShot(NamedTuple):
    """Right answers with some number of labels a class.

    Attributes:
        shots: labels a class, in digits, or `all`.
        labels: how many labels a class that was, on average over classes and draws.
        hits: (pretraining seeds, draws, N) uint8, images in the order of their names.
    """

    shots: str
    labels: float
    hits: np.ndarray


def read_few_shot(
    folder: str | Path, layers: dict[str, Layers], predictions: dict[str, Predictions]
) -> dict[tuple[str, str], list[FewShot]]:
    """Read a representation's few_shot.csv and few_shot/<domain>-<layer>.npy.

    Args:
        folder: data/probes/<representation>.
        layers: of each domain.
        predictions: of each domain; the arrays' columns have the order of predictions.csv.

    Returns:
        By domain and layer, a `FewShot` for each number of shots, fewest first.

    Raises:
        StageError: when a file is missing or broken, the layer of a view is missing, the draws of
            some pretraining seed are, or the table and an array do not fit.
    """
    expected = {(domain, layer) for domain, domain_layers in layers.items() for layer in domain_layers.shown}
    return _read(Path(folder), FEW_SHOT, expected, predictions)


def read_finetuned_shots(folder: str | Path, predictions: dict[str, Predictions]) -> dict[str, list[FewShot]]:
    """Read the same of data/probes/finetune/<representation>: by domain alone, as fine-tuning has one layer."""
    expected = {(domain, FINETUNED_LAYER) for domain in predictions}
    by_layer = _read(Path(folder), FINETUNED_SHOTS, expected, predictions)
    return {domain: few for (domain, _), few in by_layer.items()}


def _read(
    folder: Path, schema: Table, expected: set[tuple[str, str]], predictions: dict[str, Predictions]
) -> dict[tuple[str, str], list[FewShot]]:
    path = folder / "few_shot.csv"
    table = schema.read(path)
    if (listed := set(zip(table["domain"], table["layer"], strict=True))) != expected:
        raise StageError(
            f"{path} must hold the layers of every view in each domain, {sorted(expected)}; it holds "
            f"{sorted(listed)}. Run `dvc repro`."
        )
    return {
        (domain, layer): _of_layer(folder, domain, layer, rows, predictions[domain])
        for (domain, layer), rows in table.groupby(["domain", "layer"])
    }


def _of_layer(folder: Path, domain: str, layer: str, rows: pd.DataFrame, test: Predictions) -> list[FewShot]:
    path = folder / "few_shot" / f"{domain}-{layer}.npy"
    hits = np.asarray(open_array(path))
    if hits.dtype != np.uint8 or hits.shape != (len(rows), len(test.images)) or hits.max(initial=0) > 1:
        raise StageError(
            f"{path} must be uint8 {(len(rows), len(test.images))} of 0 and 1, a row for each of few_shot.csv and a "
            f"column for each test image; got {hits.dtype} {hits.shape}. Run `dvc repro`."
        )
    if np.abs(hits.mean(axis=1) - rows["test_accuracy"]).max() > ROUNDING:
        raise StageError(f"{path} has other accuracies than few_shot.csv: they are of different runs. Run `dvc repro`.")
    hits, rows = hits[:, test.order], rows.reset_index(drop=True)
    by_shots = []
    for shots, shot_rows in rows.groupby("shots"):
        shot_rows = shot_rows.sort_values(["pretraining_seed", "draw"])
        seeds, draws = shot_rows["pretraining_seed"].nunique(), shot_rows["draw"].nunique()
        pairs = pd.MultiIndex.from_product([range(seeds), range(draws)])
        if list(zip(shot_rows["pretraining_seed"], shot_rows["draw"], strict=True)) != list(pairs):
            raise StageError(
                f"{folder / 'few_shot.csv'}: {domain}, {layer}, {shots} shots must have a row for each pretraining "
                f"seed and draw, counted from 0. Run `dvc repro`."
            )
        table = hits[shot_rows.index].reshape(seeds, draws, -1)
        by_shots.append(FewShot(shots, float(shot_rows["labels"].mean()), table))
    return sorted(by_shots, key=lambda few: (few.shots == "all", few.labels))
