"""Probes for the crossover of seen and held-out classes: one head on one layer, in tasks of equal size.

The tasks are `matched`, seen classes, and `out`, as many held-out ones. Head and layer are those of the primary
endpoint, fixed before the run, and each task is probed as `out` is by `stages.probing.protocol`: with as many labels a
class, its hyperparameter selected on validation images of the task.
"""

import math
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from stages.classifiers.domains import read_domain
from stages.probing.fitted_layer import FittedDomain, FittedLayer
from stages.probing.layer_features import read_training_features
from stages.probing.protocol import HEAD_MODULES, predict_domain
from stages.probing.results import choice_rows, curve_rows
from stages.probing.source import FeatureSource, ProbeRun
from stages.probing.tables import CHOICES, CURVES, PREDICTIONS
from stages.runtime.schema import Probe


class CrossoverResults(NamedTuple):
    """Tables of `stages.probing.tables`, of the tasks that were probed: without a row where there were none."""

    predictions: pd.DataFrame
    curves: pd.DataFrame
    choices: pd.DataFrame


def probe_tasks(
    source: FeatureSource, manifest: pd.DataFrame, tasks: list[str], head: str, settings: Probe, seed: int
) -> CrossoverResults:
    """Fit one head to the first fixed layer of a representation, in each task, and predict its test images.

    Args:
        manifest: as by `stages.dataset.manifest.read_manifest`.
        tasks: of `stages.dataset.manifest.TASKS`.
        head: of `stages.probing.tables.HEADS`.
        settings: the group `probe` of the parameters, of which `representations` is not read.
        seed: of the study.

    Raises:
        StageError: as by `stages.probing.protocol.probe_representation`.
    """
    layer, fitted = source.fixed[0], []
    for task in [read_domain(manifest, name) for name in tasks]:
        layers: FittedDomain = {}
        for pretraining_seed in range(source.pretraining_seeds):
            run = ProbeRun(source, task, layer, pretraining_seed, settings, seed)
            train, validation, stats = read_training_features(run)
            heads = {head: HEAD_MODULES[head].fit(run, train, validation)}
            layers[layer, pretraining_seed] = FittedLayer(run, stats, heads, math.nan)
        fitted.append(layers)
    tables = [table for layers in fitted for table in predict_domain(layers)[0]]
    return CrossoverResults(
        pd.concat(tables, ignore_index=True) if tables else PREDICTIONS.frame([]),
        CURVES.frame(chain.from_iterable(map(curve_rows, fitted))),
        CHOICES.frame(chain.from_iterable(map(choice_rows, fitted))),
    )


def write_crossover(folder: Path, results: CrossoverResults) -> None:
    """Write the tables into the new folder `crossover` of a representation's folder."""
    place = folder / "crossover"
    place.mkdir()
    PREDICTIONS.write(place / "predictions.csv", results.predictions)
    # A fit that diverged has no loss: an empty cell.
    CURVES.write(place / "curves.csv", results.curves.replace([math.inf, -math.inf], math.nan))
    CHOICES.write(place / "choices.csv", results.choices.replace([math.inf, -math.inf], math.nan))
