"""How a representation is judged: one protocol, whatever the representation is.

For each domain by itself, with labels numbered within it:
1. Channels are standardised by the moments of the domain's probe images.
2. The conv probe's learning rate and the linear probe's C are chosen on the domain's validation images, from
   grids that all representations share. The conv probe chooses with its seed 0.
3. The conv probe is fitted for every seed at the chosen rate; the fit that was chosen is seed 0's.
4. When both domains are done with that, test images are read, once, and predicted.

Only training meets mirror images. Choices go by accuracy, then by loss, then to the smaller value.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.probing.conv_probe import conv_log_probabilities, fit_conv_probe
from stages.probing.domains import DOMAINS, Domain, read_domain
from stages.probing.features import Moments, channel_moments, standardise
from stages.probing.linear_probe import fit_linear_probe, linear_log_probabilities, pool_positions
from stages.probing.scores import accuracy_and_loss, cross_entropy, top_k_hits
from stages.shared.device import device
from stages.shared.errors import StageError
from stages.shared.params import Probe

KEYS = {"learning_rate": "learning_rates", "c": "linear_c"}
TEST_CHUNK = 2048  # test images whose features are in memory at once

# read(subset, positions): features (n, V, C, H, W) float16 of the rows `positions` of a subset's array.
ReadFeatures = Callable[[str, np.ndarray], np.ndarray]


class Findings(NamedTuple):
    """The tables of one representation; their columns are those of data/probes/<representation>/."""

    predictions: pd.DataFrame
    curves: pd.DataFrame
    choices: pd.DataFrame


class Trial(NamedTuple):
    """A fitted probe, the value of the setting it was fitted with, and its scores on validation images."""

    value: float
    accuracy: float
    loss: float
    probe: object


class FittedProbes(NamedTuple):
    """What one domain needs to predict: the normalisation, a conv probe a seed, the linear probe."""

    moments: Moments
    conv: list
    linear: object


def probe_representation(read: ReadFeatures, manifest: pd.DataFrame, settings: Probe, seed: int) -> Findings:
    """Probe one representation in both domains.

    Args:
        read: gives features; asked for `test` only after the last choice and the last fit.
        manifest: as by `stages.food101.manifest.read_manifest`.
        settings: the group `probe` of the parameters, of which `representations` is not read.
        seed: of the study.

    Raises:
        StageError: for a domain that cannot be probed (see `read_domain`), features that are not finite, or
            a probe that diverges at every learning rate.
    """
    domains = [read_domain(manifest, name) for name in DOMAINS]
    fits = len(settings.learning_rates) + settings.seeds - 1 + len(settings.linear_c)
    curves, choices = [], []
    with tqdm(total=len(domains) * fits, desc="probes", unit="fit", disable=None) as bar:
        fitted = [_fit(domain, read, settings, seed, curves, choices, bar) for domain in domains]
    predictions = [
        table
        for domain, probes in zip(domains, fitted, strict=True)
        for table in _predict(domain, probes, read, settings)
    ]
    return Findings(pd.concat(predictions, ignore_index=True), pd.DataFrame(curves), pd.DataFrame(choices))


def choose(trials: list[Trial], key: str) -> Trial:
    """The trial with the highest accuracy; of equals the lowest loss, then the smallest value.

    `key` is the parameter of `probe` that lists the values, for the message.

    Raises:
        StageError: when no trial has a finite loss.
    """
    sound = [trial for trial in trials if np.isfinite(trial.loss)]
    if not sound:
        raise StageError(
            f"the probe diverged at every value of probe.{key}: "
            f"{', '.join(f'{trial.value:g}' for trial in trials)}. Add a smaller one."
        )
    return max(sound, key=lambda trial: (trial.accuracy, -trial.loss, -trial.value))


def _fit(domain: Domain, read, settings, seed, curves, choices, bar) -> FittedProbes:
    """Choose and fit both heads for one domain; append its curves and choices."""
    train_labels, labels = domain.images["probe"].labels, domain.images["validation"].labels
    train = read("probe", domain.images["probe"].positions)
    if train.ndim != 5 or train.shape[1] != 2:
        raise StageError(
            f"probe features must be (N, 2, C, H, W), an image and its mirror image; got {train.shape}. "
            f"`dvc repro` makes them."
        )
    moments = channel_moments(train)
    train = standardise(train, moments)
    validation = standardise(read("validation", domain.images["validation"].positions), moments)

    def fit_conv(learning_rate: float, index: int) -> Trial:
        probe, curve = fit_conv_probe(
            (train, train_labels),
            (validation, labels),
            classes=len(domain.classes),
            learning_rate=learning_rate,
            seed=(seed, index),
            settings=settings,
            device=device(),
        )
        curves.extend(
            {"domain": domain.name, "head": "conv", "seed": index, "learning_rate": learning_rate} | epoch._asdict()
            for epoch in curve
        )
        bar.update()
        return Trial(learning_rate, curve[-1].validation_accuracy, curve[-1].validation_loss, probe)

    pooled, pooled_validation = (pool_positions(array, settings.linear_grid) for array in (train, validation))

    def fit_linear(c: float) -> Trial:
        probe = fit_linear_probe(pooled, train_labels, c)
        bar.update()
        return Trial(c, *accuracy_and_loss(linear_log_probabilities(probe, pooled_validation), labels), probe)

    def chosen_of(head: str, setting: str, trials: list[Trial]) -> Trial:
        chosen = choose(trials, KEYS[setting])
        choices.extend(
            {
                "domain": domain.name,
                "head": head,
                "setting": setting,
                "value": trial.value,
                "validation_accuracy": trial.accuracy,
                "validation_loss": trial.loss,
                "chosen": int(trial is chosen),
            }
            for trial in trials
        )
        return chosen

    conv = chosen_of("conv", "learning_rate", [fit_conv(rate, 0) for rate in settings.learning_rates])
    linear = chosen_of("linear", "c", [fit_linear(c) for c in settings.linear_c])
    others = [fit_conv(conv.value, index) for index in range(1, settings.seeds)]
    return FittedProbes(moments, [trial.probe for trial in (conv, *others)], linear.probe)


def _predict(domain: Domain, probes: FittedProbes, read, settings) -> list[pd.DataFrame]:
    """A table of predictions for each head and seed; each test image of the domain is read once."""
    test = domain.images["test"]
    heads = [("conv", seed) for seed in range(len(probes.conv))] + [("linear", 0)]
    parts = {head: [] for head in heads}
    for start in range(0, len(test.positions), TEST_CHUNK):
        features = standardise(read("test", test.positions[start : start + TEST_CHUNK]), probes.moments)
        for seed, probe in enumerate(probes.conv):
            parts["conv", seed].append(conv_log_probabilities(probe, features, settings))
        pooled = pool_positions(features, settings.linear_grid)
        parts["linear", 0].append(linear_log_probabilities(probes.linear, pooled))

    tables = []
    for (head, seed), chunks in parts.items():
        log_probabilities = np.concatenate(chunks)
        columns = {
            "domain": domain.name,
            "head": head,
            "seed": seed,
            "image": test.names,
            "label": domain.classes[test.labels],
            "predicted": domain.classes[log_probabilities.argmax(axis=1)],
            "top5": top_k_hits(log_probabilities, test.labels, 5).astype(int),
            "loss": cross_entropy(log_probabilities, test.labels).astype(np.float64),
        }
        tables.append(pd.DataFrame(columns))
    return tables
