"""The probing protocol: the same for every representation, for each domain by itself.

1. The heads of `probe.depth_heads`, the ridge probe among them, are fitted to every layer, for every pretraining seed.
   The layer with the highest accuracy by cross-validation over probe and validation images, as a mean over pretraining
   seeds, is the best layer; of equals the first (`stages.probing.cross_validation`).
2. The layer of the primary endpoint, the latents and the best layer get the other heads, one file each in
   stages/probing/heads, and the ridge probe with few labels, for every pretraining seed. Each head selects its
   hyperparameter on validation images, from values that all representations share: by accuracy, then by loss, then the
   smaller value.
3. When both domains are fitted, test images are read, once for each layer and pretraining seed, and predicted.

Labels are numbered within a domain. Features are standardised on probe images; labels are not used.
"""

from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module
from itertools import chain, product

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.classifiers.conv import ConvProbe
from stages.classifiers.domains import read_domain
from stages.dataset.manifest import SUBSETS
from stages.probing.cross_validation import cross_validated_accuracy
from stages.probing.few_shot import all_labels, few_shot_predictions, fit_few_shot
from stages.probing.fitted_layer import FittedDomain, FittedLayer, best_layer
from stages.probing.layer_features import LayerFeatures, read_test_features, read_training_features
from stages.probing.results import (
    ProbeResults,
    choice_rows,
    curve_rows,
    few_shot_rows,
    layer_rows,
)
from stages.probing.scores import prediction_table
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
    seeds, fitted = range(source.pretraining_seeds), []
    for domain in domains:
        layers: FittedDomain = {}
        for layer, pretraining_seed in progress(product(source.layers, seeds), f"probes of domain {domain.name}"):
            run = ProbeRun(source, domain, layer, pretraining_seed, settings, seed)
            layers[layer, pretraining_seed] = fit_layer(run, all_heads=layer in source.fixed)
        if (best := best_layer(layers)) not in source.fixed:
            for key in progress(product([best], seeds), f"probes of the best layer, {best}"):
                layers[key] = fit_layer(layers[key].run, all_heads=True, fitted=layers[key])
        fitted.append(layers)

    tested = [predict_domain(layers) for layers in fitted]
    return ProbeResults(
        predictions=pd.concat(chain.from_iterable(tables for tables, *_ in tested), ignore_index=True),
        curves=CURVES.frame(chain.from_iterable(map(curve_rows, fitted))),
        choices=CHOICES.frame(chain.from_iterable(map(choice_rows, fitted))),
        layers=LAYERS.frame(chain.from_iterable(map(layer_rows, fitted))),
        few_shot=FEW_SHOT.frame(chain.from_iterable(rows for _, rows, _ in tested)),
        hits={key: table for *_, hits in tested for key, table in hits.items()},
        conv={name: conv_probe(layers[source.fixed[0], 0]) for name, layers in zip(SUBSETS, fitted, strict=True)},
    )


def fit_layer(run: ProbeRun, *, all_heads: bool, fitted: FittedLayer | None = None) -> FittedLayer:
    """Fit the heads of `probe.depth_heads` to one layer or, with `all_heads`, every head, and ridge to few labels.

    Args:
        fitted: probes of this layer that were fitted already.
    """
    train, validation, stats = read_training_features(run)
    heads = dict(fitted.heads) if fitted else {}
    for head in HEADS if all_heads else run.settings.depth_heads:
        if head not in heads:
            heads[head] = HEAD_MODULES[head].fit(run, train, validation)
    accuracy = fitted.cross_validated if fitted else cross_validate(run, train, validation)
    if not all_heads:
        return FittedLayer(run, stats, heads, accuracy)
    images = (train.vectors, train.labels), (validation.vectors, validation.labels)
    few_shot = fit_few_shot(*images, run.classes, run.settings, (run.seed, run.domain_index))
    few_shot.append(all_labels(heads[DEPTH_HEAD], len(train.labels), run.classes))
    return FittedLayer(run, stats, heads, accuracy, few_shot)


def cross_validate(run: ProbeRun, train: LayerFeatures, validation: LayerFeatures) -> float:
    """Accuracy of the ridge probe by cross-validation over probe and validation images, in [0, 1]."""
    vectors = np.concatenate([train.raw_vectors(), validation.raw_vectors()])
    labels = np.concatenate([train.labels, validation.labels])
    folds, seed = run.settings.folds, (run.seed, run.domain_index)
    return cross_validated_accuracy(vectors, labels, run.settings.ridge_alphas, folds, seed)


def predict_domain(
    fitted: FittedDomain,
) -> tuple[list[pd.DataFrame], list[dict], dict[tuple[str, str], np.ndarray]]:
    """Predict the domain's test images with all probes.

    Returns:
        Tables of predictions, by layer, head, pretraining seed and probe seed; rows of few_shot.csv; and
        `ProbeResults.hits`.
    """
    tables, rows, hits = {}, [], defaultdict(list)
    for probes in fitted.values():
        run, log_probabilities, few_shot_hits = probes.run, defaultdict(list), []
        for features in read_test_features(run, probes.stats):
            for head, fitted_head in probes.heads.items():
                for seed, probe in enumerate(fitted_head.probes):
                    log_probabilities[head, seed].append(HEAD_MODULES[head].predict(probe, features, run.settings))
            if probes.few_shot:
                few_shot_hits.append(few_shot_predictions(probes.few_shot, features.vectors) == features.labels)
        for (head, seed), parts in log_probabilities.items():
            key = run.source.layers.index(run.layer), HEADS.index(head), run.pretraining_seed, seed
            columns = {"domain": run.domain.name, "layer": run.layer, "head": head}
            columns |= {"pretraining_seed": run.pretraining_seed, "seed": seed}
            tables[key] = prediction_table(run.domain, columns, np.concatenate(parts))
        if probes.few_shot:
            right = np.concatenate(few_shot_hits, axis=1)
            rows += few_shot_rows(run, probes.few_shot, right)
            hits[run.domain.name, run.layer].append(right)
    stacked = {key: np.concatenate(parts).astype(np.uint8) for key, parts in hits.items()}
    return [tables[key] for key in sorted(tables)], rows, stacked


def conv_probe(layer: FittedLayer) -> ConvProbe:
    """The conv probe of probe seed 0 with its standardisation and class names."""
    return ConvProbe(layer.heads["conv"].probes[0], layer.stats.channels, layer.run.domain.classes.tolist())


def progress(steps: Iterable[tuple[str, int]], description: str) -> Iterable[tuple[str, int]]:
    """The steps of a fit, with a progress bar on a terminal."""
    return tqdm(list(steps), desc=description, unit="layer", disable=None)
