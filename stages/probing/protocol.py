"""The probing protocol: the same for every representation, for each domain by itself.

1. The ridge probe is fitted to every layer, for every pretraining seed. The layer with the highest validation accuracy,
   as a mean over pretraining seeds, is the best layer; of equals the first.
2. The headline layer and the best layer get the other heads, one file each in stages/probing/heads, and the ridge probe
   with few labels, for every pretraining seed. Each head selects its hyperparameter on validation images, from values
   that all representations share: by accuracy, then by loss, then the smaller value.
3. When both domains are fitted, test images are read, once for each layer and pretraining seed, and predicted.

Labels are numbered within a domain. Features are standardised on probe images; labels are not used.
"""

from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module
from itertools import product

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.classifiers.conv import ConvProbe
from stages.classifiers.domains import Domain, read_domain
from stages.dataset.manifest import SUBSETS
from stages.probing.few_shot import all_labels, few_shot_predictions, fit_few_shot
from stages.probing.fitted_layer import FittedDomain, FittedLayer, best_layer
from stages.probing.layer_features import read_test_features, read_training_features
from stages.probing.results import (
    ProbeResults,
    choice_rows,
    curve_rows,
    few_shot_rows,
    layer_rows,
    prediction_table,
)
from stages.probing.source import FeatureSource, ProbeRun
from stages.probing.tables import CHOICES, CURVES, DEPTH_HEAD, FEW_SHOT, HEADS, LAYERS
from stages.runtime.schema import Probe

# By head, its module: `fit(run, train, validation) -> FittedHead` and `predict(probe, features, settings)`.
HEAD_MODULES = {head: import_module(f"stages.probing.heads.{head}") for head in HEADS}


def probe_representation(source: FeatureSource, manifest: pd.DataFrame, settings: Probe, seed: int) -> ProbeResults:
    """Probe one representation in both domains.

    Args:
        manifest: as by `stages.dataset.manifest.read_manifest`.
        settings: the group `probe` of the parameters, of which `representations` is not read.
        seed: of the study.

    Raises:
        StageError: for a domain that cannot be probed (see `read_domain`), features that are not finite, or a head that
            diverges at every value of its hyperparameter.
    """
    domains = [read_domain(manifest, name) for name in SUBSETS]
    fitted = [fit_domain(source, domain, settings, seed) for domain in domains]

    predictions, curves, choices, layers, few_shot, hits, conv = [], [], [], [], [], {}, {}
    for domain, probes in zip(domains, fitted, strict=True):
        curves += curve_rows(probes)
        choices += choice_rows(probes)
        layers += layer_rows(probes)
        for layer in source.layers:
            tables, rows, right = predict_layer([probes[layer, k] for k in range(source.pretraining_seeds)])
            predictions += tables
            few_shot += rows
            if rows:
                hits[domain.name, layer] = np.stack(right).astype(np.uint8)
        headline = probes[source.headline, 0]
        conv[domain.name] = ConvProbe(
            headline.heads["conv"].probes[0], headline.stats.channels, domain.classes.tolist()
        )
    return ProbeResults(
        pd.concat(predictions, ignore_index=True),
        CURVES.frame(curves),
        CHOICES.frame(choices),
        LAYERS.frame(layers),
        FEW_SHOT.frame(few_shot),
        hits,
        conv,
    )


def fit_domain(source: FeatureSource, domain: Domain, settings: Probe, seed: int) -> FittedDomain:
    """Fit all probes of one domain."""
    fitted: FittedDomain = {}
    seeds = range(source.pretraining_seeds)
    for layer, pretraining_seed in progress(product(source.layers, seeds), f"{DEPTH_HEAD} on every layer"):
        run = ProbeRun(source, domain, layer, pretraining_seed, settings, seed)
        train, validation, stats = read_training_features(run)
        ridge = HEAD_MODULES[DEPTH_HEAD].fit(run, train, validation)
        fitted[layer, pretraining_seed] = FittedLayer(run, stats, {DEPTH_HEAD: ridge})

    shown = dict.fromkeys((source.headline, best_layer(fitted)))
    for layer, pretraining_seed in progress(product(shown, seeds), "all heads on the headline and the best layer"):
        probes = fitted[layer, pretraining_seed]
        run, ridge = probes.run, probes.heads[DEPTH_HEAD]
        train, validation, _ = read_training_features(run)
        for head in HEADS:
            if head != DEPTH_HEAD:
                probes.heads[head] = HEAD_MODULES[head].fit(run, train, validation)
        probes.few_shot = [
            *fit_few_shot(
                (train.vectors, train.labels),
                (validation.vectors, validation.labels),
                run.classes,
                settings,
                (seed, run.domain_index),
            ),
            all_labels(ridge, len(train.labels), run.classes),
        ]
    return fitted


def predict_layer(layer_probes: list[FittedLayer]) -> tuple[list[pd.DataFrame], list[dict], list[np.ndarray]]:
    """Predict the domain's test images with all probes of one layer.

    Args:
        layer_probes: those of each pretraining seed.

    Returns:
        Tables of predictions, by head, pretraining seed and probe seed; rows of few_shot.csv; and for each of these
        rows, (N,) bool, whether its probe was right.
    """
    tables, rows, hits = {}, [], []
    for probes in layer_probes:
        run, parts, few_shot_parts = probes.run, defaultdict(list), []
        for features in read_test_features(run, probes.stats):
            for head, fitted in probes.heads.items():
                for seed, probe in enumerate(fitted.probes):
                    parts[head, seed].append(HEAD_MODULES[head].predict(probe, features, run.settings))
            if probes.few_shot:
                few_shot_parts.append(few_shot_predictions(probes.few_shot, features.vectors) == features.labels)
        for (head, seed), log_probabilities in parts.items():
            key = HEADS.index(head), run.pretraining_seed, seed
            tables[key] = prediction_table(run, head, seed, np.concatenate(log_probabilities))
        if probes.few_shot:
            right = np.concatenate(few_shot_parts, axis=1)
            rows += few_shot_rows(run, probes.few_shot, right)
            hits += list(right)
    return [tables[key] for key in sorted(tables)], rows, hits


def progress(steps: Iterable[tuple[str, int]], description: str) -> Iterable[tuple[str, int]]:
    """The steps of a fit, with a progress bar on a terminal."""
    return tqdm(list(steps), desc=description, unit="layer", disable=None)
