"""Label efficiency: the ridge probe fitted to 1, 5, 10, ... labels a class, drawn several times, and to all labels.

A draw is of images, not of features: every representation, layer and pretraining seed gets the same ones, so that no
difference between two representations is a difference between draws.

Settings that matter:
    probe.shots             labels a class
    probe.draws             of these labels
    probe.ridge_alphas      regularisation strengths, selected on validation images anew for each draw
"""

from typing import NamedTuple

import numpy as np

from stages.classifiers.domains import available_shots, draw_images
from stages.probing.head import FittedHead, select_hyperparameter
from stages.probing.heads.ridge import RidgeProbe, calibrate_all, fit_ridge, ridge_scores
from stages.runtime.schema import Probe


class Draw(NamedTuple):
    """A ridge probe fitted to one draw of labels.

    Attributes:
        shots: labels a class, or "all".
        labels: mean number of labels a class.
        draw: 0, 1, ...
        alpha: as selected on validation images.
        validation_accuracy: in [0, 1].
        probe: fitted with that alpha.
    """

    shots: int | str
    labels: float
    draw: int
    alpha: float
    validation_accuracy: float
    probe: RidgeProbe


def fit_few_shot(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    settings: Probe,
    seed: tuple[int, int],
) -> list[Draw]:
    """Fit a probe for each number of `settings.shots`, ascending, and each draw.

    Numbers of shots above what the smallest class has are left out, and a printed line says so.

    Args:
        train: standardised features (N, D) float32, and labels (N,) int64 in 0..classes-1.
        validation: the same of the images to select alpha on.
        seed: (seed of the study, index of the domain).
    """
    features, labels = train
    draws = []
    for shots in available_shots(labels, classes, settings.shots, "probe.shots"):
        for number in range(settings.draws):
            drawn = draw_images(labels, shots, (*seed, shots, number))
            probes = fit_ridge(features[drawn], labels[drawn], classes, settings.ridge_alphas)
            probes, trials = calibrate_all(probes, settings.ridge_alphas, *validation)
            best = select_hyperparameter(trials, "ridge_alphas")
            draws.append(Draw(shots, float(shots), number, trials[best].value, trials[best].accuracy, probes[best]))
    return draws


def all_labels(ridge: FittedHead, images: int, classes: int) -> Draw:
    """The ridge head, which was fitted to all labels, as the last draw."""
    trial = ridge.trials[ridge.selected]
    return Draw("all", images / classes, 0, trial.value, trial.accuracy, ridge.probes[0])


def few_shot_predictions(draws: list[Draw], vectors: np.ndarray) -> np.ndarray:
    """The class (draws, N) int64 that each probe predicts for features (N, D) float32."""
    return np.stack([scores.argmax(axis=1) for scores in ridge_scores([draw.probe for draw in draws], vectors)])
