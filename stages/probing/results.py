"""The results of probing a representation, as the tables of data/probes/<representation>/."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.classifiers.conv import ConvProbe
from stages.probing.few_shot import Draw
from stages.probing.fitted_layer import FittedDomain, best_layer, cross_validated_accuracy, validation_accuracy
from stages.probing.source import ProbeRun
from stages.probing.tables import CHOICES, CURVES, FEW_SHOT, HEADS, LAYERS, PREDICTIONS


class ProbeResults(NamedTuple):
    """The tables of one representation, see `stages.probing.tables`, and what lies beside them.

    Attributes:
        hits: by domain and layer, (rows of `few_shot`, test images) uint8, 1 where a prediction was right.
        conv: by domain, the conv probe of the first fixed layer, pretraining seed 0 and probe seed 0.
    """

    predictions: pd.DataFrame
    curves: pd.DataFrame
    choices: pd.DataFrame
    layers: pd.DataFrame
    few_shot: pd.DataFrame
    hits: dict[tuple[str, str], np.ndarray]
    conv: dict[str, ConvProbe]


def write_results(folder: Path, results: ProbeResults) -> None:
    """Write the tables, and few_shot/<domain>-<layer>.npy, into `folder`, which must exist.

    Rows of an array are those of its domain and layer in few_shot.csv, its columns the domain's test images in the
    order of predictions.csv.
    """
    PREDICTIONS.write(folder / "predictions.csv", results.predictions)
    # A fit that diverged has no loss: an empty cell.
    CURVES.write(folder / "curves.csv", results.curves.replace([np.inf, -np.inf], np.nan))
    CHOICES.write(folder / "choices.csv", results.choices.replace([np.inf, -np.inf], np.nan))
    LAYERS.write(folder / "layers.csv", results.layers)
    FEW_SHOT.write(folder / "few_shot.csv", results.few_shot)
    (folder / "few_shot").mkdir()
    for (domain, layer), hits in results.hits.items():
        np.save(folder / "few_shot" / f"{domain}-{layer}.npy", hits)


def choice_rows(fitted: FittedDomain) -> list[dict]:
    """A row for each hyperparameter value that was tried, by layer, head and pretraining seed."""
    return [
        key
        | {
            "setting": head.hyperparameter,
            "value": trial.value,
            "validation_accuracy": trial.accuracy,
            "validation_loss": trial.loss,
            "chosen": int(index == head.selected),
        }
        for key, head in _heads(fitted)
        for index, trial in enumerate(head.trials)
    ]


def curve_rows(fitted: FittedDomain) -> list[dict]:
    """A row for each epoch of each fit, by layer, head and pretraining seed."""
    return [key | point._asdict() for key, head in _heads(fitted) for point in head.curves]


def layer_rows(fitted: FittedDomain) -> list[dict]:
    """A row for each layer, from the image on."""
    best = best_layer(fitted)
    return [
        {
            "domain": probes.run.domain.name,
            "layer": layer,
            "order": probes.run.source.layers.index(layer),
            "features": len(probes.stats.vectors.mean),
            "validation_accuracy": validation_accuracy(fitted, layer),
            "cv_accuracy": cross_validated_accuracy(fitted, layer),
            "chosen": int(layer == best),
        }
        for (layer, pretraining_seed), probes in fitted.items()
        if pretraining_seed == 0
    ]


def few_shot_rows(run: ProbeRun, draws: list[Draw], hits: np.ndarray) -> list[dict]:
    """A row for each draw of labels; `hits` is (draws, test images)."""
    return [
        {
            "domain": run.domain.name,
            "layer": run.layer,
            "pretraining_seed": run.pretraining_seed,
            "shots": draw.shots,
            "labels": draw.labels,
            "draw": draw.draw,
            "alpha": draw.alpha,
            "validation_accuracy": draw.validation_accuracy,
            "test_accuracy": accuracy,
        }
        for draw, accuracy in zip(draws, hits.mean(axis=1), strict=True)
    ]


def _heads(fitted: FittedDomain):
    """The key columns and the `FittedHead` of each head, by layer, head and pretraining seed."""
    for layer in dict.fromkeys(layer for layer, _ in fitted):
        for head in HEADS:
            for (name, pretraining_seed), probes in fitted.items():
                if name == layer and head in probes.heads:
                    key = {"domain": probes.run.domain.name, "layer": layer, "head": head}
                    yield key | {"pretraining_seed": pretraining_seed}, probes.heads[head]
