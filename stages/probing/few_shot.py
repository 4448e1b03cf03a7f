"""Label efficiency: the ridge probe with 1, 5, 10, ... labels a class, drawn several times, and with all of them.

A draw is of images, not of features: every representation, layer and pretraining seed is given the same ones, so
that a difference between two representations is none between two draws.
"""

from typing import NamedTuple

import numpy as np

from stages.probing.ridge import RidgeProbe, calibrate, fit_ridge, ridge_scores
from stages.probing.selection import Trial, choose
from stages.runtime.schema import Probe


class Draw(NamedTuple):
    """A probe of few labels.

    Attributes:
        shots: labels a class, or "all".
        labels: mean number of labels a class.
        draw: 0, 1, ...
        alpha: as chosen on validation images.
        validation_accuracy: in [0, 1].
        probe: fitted with that alpha.
    """

    shots: int | str
    labels: float
    draw: int
    alpha: float
    validation_accuracy: float
    probe: RidgeProbe


def draw_images(labels: np.ndarray, shots: int, seed: tuple[int, ...]) -> np.ndarray:
    """Positions of `shots` images of each class, ascending, int64; `seed` and `labels` decide which.

    Args:
        labels: (N,) int64; no class has fewer than `shots`.
    """
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(np.flatnonzero(labels == label), shots, replace=False) for label in np.unique(labels)]
    return np.sort(np.concatenate(drawn))


def ridge_trials(
    train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray], classes: int, alphas: list[float]
) -> list[Trial]:
    """A ridge probe for each alpha, its temperature chosen on the validation images, with its scores on them.

    Args:
        train: features (N, D) float32 on one scale, and labels (N,) int64 in 0..classes-1.
        validation: the same of the images to choose on.
    """
    probes = fit_ridge(*train, classes, alphas)
    trials = []
    for alpha, probe, scores in zip(alphas, probes, ridge_scores(probes, validation[0]), strict=True):
        calibrated, accuracy, loss = calibrate(probe, scores, validation[1])
        trials.append(Trial(alpha, accuracy, loss, calibrated))
    return trials


def fit_few_shot(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    settings: Probe,
    seed: tuple[int, int],
) -> list[Draw]:
    """A probe for each number of `settings.shots`, ascending, and each draw; alpha is chosen anew for each.

    Numbers of shots above what the smallest class has are left out, and a printed line says so.

    Args:
        train, validation: as for `ridge_trials`.
        seed: (seed of the study, index of the domain).
    """
    features, labels = train
    fewest = int(np.bincount(labels, minlength=classes).min())
    if left_out := [count for count in sorted(settings.shots) if count > fewest]:
        print(f"probe.shots: {left_out} left out, as the smallest class has {fewest} labels")
    found = []
    for count in sorted(count for count in settings.shots if count <= fewest):
        for number in range(settings.draws):
            drawn = draw_images(labels, count, (*seed, count, number))
            trials = ridge_trials((features[drawn], labels[drawn]), validation, classes, settings.ridge_alphas)
            chosen = choose(trials, "ridge_alphas")
            found.append(Draw(count, float(count), number, chosen.value, chosen.accuracy, chosen.probe))
    return found
