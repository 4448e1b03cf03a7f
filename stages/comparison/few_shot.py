"""The few-shot ridge probe's right answers on test images, by how many labels it was given."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.comparison.layers import Layers
from stages.comparison.predictions import Predictions
from stages.formats.npy import open_array
from stages.runtime.errors import StageError

COLUMNS = [
    *("domain", "layer", "pretraining_seed", "shots", "labels"),
    *("draw", "alpha", "validation_accuracy", "test_accuracy"),
]
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
        StageError: when a file is missing or broken, the headline or the best layer is missing, the draws of
            some pretraining seed are, or the table and an array do not fit.
    """
    folder = Path(folder)
    path = folder / "few_shot.csv"
    try:
        table = pd.read_csv(path, dtype={"domain": str, "layer": str, "shots": str}, keep_default_na=False)
        table = table[COLUMNS].astype(dict.fromkeys(COLUMNS[4:5] + COLUMNS[6:], np.float64))
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except (KeyError, ValueError) as error:
        raise StageError(f"{path} is not a table of the few-shot probe ({error}). Run `dvc repro`.") from None
    expected = {(domain, layer) for domain, own in layers.items() for layer in own.shown}
    if (found := set(zip(table["domain"], table["layer"], strict=True))) != expected:
        raise StageError(
            f"{path} must hold the headline and the best layer of each domain, {sorted(expected)}; it holds "
            f"{sorted(found)}. Run `dvc repro`."
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
    found = []
    for shots, own in rows.groupby("shots"):
        own = own.sort_values(["pretraining_seed", "draw"])
        seeds, draws = own["pretraining_seed"].nunique(), own["draw"].nunique()
        pairs = pd.MultiIndex.from_product([range(seeds), range(draws)])
        if list(zip(own["pretraining_seed"], own["draw"], strict=True)) != list(pairs):
            raise StageError(
                f"{folder / 'few_shot.csv'}: {domain}, {layer}, {shots} shots must have a row for each pretraining "
                f"seed and draw, counted from 0. Run `dvc repro`."
            )
        table = hits[own.index].reshape(seeds, draws, -1)
        found.append(FewShot(shots, float(own["labels"].mean()), table))
    return sorted(found, key=lambda few: (few.shots == "all", few.labels))
