"""Every head on one layer of one encoder, for one domain: fitted and chosen here, and asked about test images."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from stages.classifiers.conv import conv_log_probabilities
from stages.classifiers.standardization import (
    ChannelStats,
    channel_stats,
    standardise,
    standardise_vectors,
    vector_stats,
)
from stages.compute.device import device
from stages.features.pooling import pool_positions, pool_to_limit
from stages.probing.conv import fit_conv_probe
from stages.probing.few_shot import Draw, fit_few_shot, ridge_trials
from stages.probing.knn import KnnProbe, fit_knn_probe, knn_log_probabilities
from stages.probing.linear import fit_linear_probe, linear_log_probabilities
from stages.probing.ridge import ridge_log_probabilities, ridge_scores
from stages.probing.scores import accuracy_and_loss
from stages.probing.selection import Trial
from stages.probing.task import Task
from stages.runtime.errors import StageError
from stages.runtime.schema import Probe

HEADS = ("conv", "linear", "knn", "ridge")

# read(subset, positions): features (n, V, C, H, W) float16 of the rows `positions` of a subset's array.
ReadLayer = Callable[[str, np.ndarray], np.ndarray]


class Heads(NamedTuple):
    """The probes that only two layers get: a conv probe a seed, one of each other head, those of few labels."""

    stats: ChannelStats
    conv: list
    linear: object
    knn: KnnProbe
    neighbours: int
    few_shot: list[Draw]


@dataclass(frozen=True)
class LayerProbes:
    """What one layer needs to predict; `features` is the length of the ridge probe's vectors."""

    features: int
    stats: ChannelStats
    ridge: Trial
    heads: Heads | None = None


def fits_of_heads(settings: Probe) -> int:
    """How often `Task.bar` moves while a layer gets its heads."""
    return len(settings.learning_rates) + settings.seeds - 1 + len(settings.linear_c) + 2


def fit_layer(task: Task, read: ReadLayer, *, heads: bool, fitted: LayerProbes | None = None) -> LayerProbes:
    """Fit the ridge probe, unless `fitted` has it, and the other heads if they are asked for.

    Raises:
        StageError: for features that are not finite or have no mirror images, or a probe that diverges at every
            learning rate.
    """
    images = task.domain.images
    train, validation = (read(subset, images[subset].positions) for subset in ("probe", "validation"))
    if train.ndim != 5 or train.shape[1] != 2:
        raise StageError(
            f"probe features must be (N, 2, C, H, W), an image and its mirror image; got {train.shape}. "
            f"`dvc repro` makes them."
        )
    vectors = pool_to_limit(train, task.limit)
    stats = fitted.stats if fitted else vector_stats(vectors)
    vectors = standardise_vectors(vectors, stats), images["probe"].labels
    held_out = standardise_vectors(pool_to_limit(validation, task.limit), stats), images["validation"].labels
    alphas = task.settings.ridge_alphas
    if fitted is None:
        ridge = task.chosen("ridge", "alpha", ridge_trials(vectors, held_out, task.classes, alphas))
        fitted = LayerProbes(vectors[0].shape[1], stats, ridge)
        task.bar.update()
    if not heads:
        return fitted
    draws = fit_few_shot(vectors, held_out, task.classes, task.settings, task.seed)
    task.bar.update()
    del vectors, held_out
    ridge = fitted.ridge
    everything = Draw("all", len(images["probe"].labels) / task.classes, 0, ridge.value, ridge.accuracy, ridge.probe)
    return replace(fitted, heads=_fit_heads(task, train, validation, [*draws, everything]))


def _fit_heads(task: Task, train: np.ndarray, validation: np.ndarray, few_shot: list[Draw]) -> Heads:
    settings, classes = task.settings, task.classes
    train_labels, labels = (task.domain.images[subset].labels for subset in ("probe", "validation"))
    stats = channel_stats(train)
    train, validation = standardise(train, stats), standardise(validation, stats)

    def fit_conv(learning_rate: float, index: int) -> Trial:
        probe, curve = fit_conv_probe(
            (train, train_labels),
            (validation, labels),
            classes=classes,
            learning_rate=learning_rate,
            seed=(task.seed[0], index),
            settings=settings,
            device=device(),
        )
        task.add_curve("conv", index, learning_rate, curve)
        task.bar.update()
        return Trial(learning_rate, curve[-1].validation_accuracy, curve[-1].validation_loss, probe)

    conv = task.chosen("conv", "learning_rate", [fit_conv(rate, 0) for rate in settings.learning_rates])
    others = [fit_conv(conv.value, index) for index in range(1, settings.seeds)]

    pooled, held_out = (pool_positions(array, settings.linear_grid) for array in (train, validation))

    def fit_linear(c: float) -> Trial:
        probe = fit_linear_probe(pooled, train_labels, c)
        task.bar.update()
        return Trial(c, *accuracy_and_loss(linear_log_probabilities(probe, held_out), labels), probe)

    linear = task.chosen("linear", "c", [fit_linear(c) for c in settings.linear_c])

    knn = fit_knn_probe(pooled, train_labels, classes, settings.knn_temperature)
    found = knn_log_probabilities(knn, held_out, settings.knn_k)
    trials = [Trial(k, *accuracy_and_loss(each, labels), knn) for k, each in zip(settings.knn_k, found, strict=True)]
    neighbours = task.chosen("knn", "k", trials).value
    task.bar.update()
    return Heads(stats, [trial.probe for trial in (conv, *others)], linear.probe, knn, neighbours, few_shot)


def predict_layer(
    probes: LayerProbes, features: np.ndarray, settings: Probe, limit: int
) -> tuple[dict[tuple[str, int], np.ndarray], np.ndarray | None]:
    """Ask every head about some images.

    Args:
        features: (N, V, C, H, W) float16, as they were read.

    Returns:
        Log-probabilities (N, K) for each head and probe seed; and what each draw of few labels predicts,
        (draws, N) int64, or None where the layer has none.
    """
    vectors = standardise_vectors(pool_to_limit(features, limit), probes.stats)
    ridge = probes.ridge.probe
    found = {("ridge", 0): ridge_log_probabilities(ridge_scores([ridge], vectors)[0], ridge.temperature)}
    if (heads := probes.heads) is None:
        return found, None
    drawn = ridge_scores([draw.probe for draw in heads.few_shot], vectors)
    features = standardise(features, heads.stats)
    for seed, probe in enumerate(heads.conv):
        found["conv", seed] = conv_log_probabilities(probe, features, settings.precision)
    pooled = pool_positions(features, settings.linear_grid)
    found["linear", 0] = linear_log_probabilities(heads.linear, pooled)
    found["knn", 0] = knn_log_probabilities(heads.knn, pooled, [heads.neighbours])[0]
    return found, np.stack([scores.argmax(axis=1) for scores in drawn])
