"""Ridge probe: least squares on one-hot labels, solved in closed form, for any number of labels.

After fewshot_lsr.py of google-research/big_vision: one eigendecomposition serves every regularisation strength, so that
selecting it costs next to nothing. Trained on probe images without their mirror images; alpha is selected on validation
images. A fit draws nothing: one stands for every seed.

It is fitted to every layer (Zhang et al., Split-Brain Autoencoders, arXiv 1611.09842, section
4.1, who pool all layers to about 9,000 features so that no layer wins by its size). `stages.probing.few_shot` fits it
to few labels.

Settings that matter:
    latents.features        maps are averaged over blocks until an image has at most as many values
    probe.ridge_alphas      regularisation strengths to select from
"""

from typing import NamedTuple

import numpy as np

from stages.probing.head import FittedHead, Trial, select_hyperparameter
from stages.probing.layer_features import LayerFeatures
from stages.probing.source import ProbeRun
from stages.runtime.schema import Probe

CHUNK_VALUES = 8_000_000  # float64 values made of float32 features at once
TEMPERATURES = 10.0 ** (-np.arange(9) / 2)  # 1 to 1e-4


class RidgeProbe(NamedTuple):
    """Scores are features @ weights + bias; they estimate probabilities, sum to 1, and may leave [0, 1].

    Attributes:
        weights: (D, K) float32.
        bias: (K,) float32.
        temperature: probabilities are softmax(scores / temperature).
    """

    weights: np.ndarray
    bias: np.ndarray
    temperature: float = 1.0


def fit(run: ProbeRun, train: LayerFeatures, validation: LayerFeatures) -> FittedHead:
    """Fit a probe for each alpha and keep the best."""
    probes = fit_ridge(train.vectors, train.labels, run.classes, run.settings.ridge_alphas)
    probes, trials = calibrate_all(probes, run.settings.ridge_alphas, validation.vectors, validation.labels)
    best = select_hyperparameter(trials, "ridge_alphas")
    return FittedHead((probes[best],), "alpha", tuple(trials), best)


def predict(probe: RidgeProbe, features: LayerFeatures, settings: Probe) -> np.ndarray:
    """Log-probabilities (N, K) float64: the softmax of the scores over the probe's temperature."""
    return ridge_log_probabilities(ridge_scores([probe], features.vectors)[0], probe.temperature)


def fit_ridge(features: np.ndarray, labels: np.ndarray, classes: int, alphas: list[float]) -> list[RidgeProbe]:
    """Fit a probe for each alpha: `sklearn.linear_model.Ridge(alpha)` on one-hot labels.

    Args:
        features: (N, D) float32, brought to one scale: alpha weighs them all alike.
        labels: (N,) int64 in 0..classes-1.
        alphas: above 0.
    """
    # With X (N, D) and Y (N, K) centred, which takes the intercept out of the problem, the minimum of
    # |XW - Y|^2 + alpha |W|^2 is
    #
    #   (A)  W = (X'X + alpha I)^-1 X'Y      a system of size D, or
    #   (B)  W = X' (XX' + alpha I)^-1 Y     a system of size N,
    #
    # the same matrix, as X' (XX' + alpha I) = (X'X + alpha I) X'. The cost is cubic in the size, so (A) is
    # solved when N >= D and (B) when D > N. Either matrix is Q diag(e) Q', and its sum with alpha I has the inverse
    # Q diag(1 / (e + alpha)) Q' for every alpha: what is cubic is done once.
    #
    # In float64: eigenvalues come with an error of about the machine's epsilon times the largest, which is the
    # number of values in X at worst. Of float32 that is as large as the smaller alphas.
    images, dimension = features.shape
    targets = np.eye(classes)[labels]
    mean, target_mean = features.mean(axis=0, dtype=np.float64), targets.mean(axis=0)
    targets -= target_mean
    primal = images >= dimension

    gram = np.zeros((min(images, dimension),) * 2)
    right = np.zeros((dimension, classes)) if primal else targets
    for rows, _, part in _centred_parts(features, mean, by_images=primal):
        gram += part.T @ part if primal else part @ part.T
        if primal:
            right += part.T @ targets[rows]
    eigenvalues, vectors = np.linalg.eigh(gram)
    del gram
    # Rounding leaves some of the zeros a little below zero.
    scale = 1 / (np.clip(eigenvalues, 0, None)[:, None] + np.asarray(alphas))
    rotated = vectors.T @ right
    solutions = vectors @ (rotated[:, None, :] * scale[:, :, None]).reshape(len(rotated), -1)

    if primal:
        weights = solutions.astype(np.float32)
    else:
        weights = np.empty((dimension, solutions.shape[1]), dtype=np.float32)
        for _, columns, part in _centred_parts(features, mean, by_images=False):
            weights[columns] = part.T @ solutions
    biases = np.tile(target_mean, len(alphas)) - mean @ weights
    return [
        RidgeProbe(np.ascontiguousarray(w), b.astype(np.float32))
        for w, b in zip(np.split(weights, len(alphas), axis=1), np.split(biases, len(alphas)), strict=True)
    ]


def ridge_scores(probes: list[RidgeProbe], features: np.ndarray) -> list[np.ndarray]:
    """Scores (N, K) float32 of features (N, D) float32 by each of the probes, in one product."""
    scores = features @ np.concatenate([probe.weights for probe in probes], axis=1)
    scores += np.concatenate([probe.bias for probe in probes])
    return np.split(scores, len(probes), axis=1)


def ridge_log_probabilities(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Log-probabilities softmax(scores / temperature), float64; least squares gives no probabilities."""
    return scores.astype(np.float64) / temperature - _log_sum_exp(scores, temperature)


def calibrate_all(
    probes: list[RidgeProbe], alphas: list[float], features: np.ndarray, labels: np.ndarray
) -> tuple[list[RidgeProbe], list[Trial]]:
    """Give each probe its best temperature on validation images, (N, D) float32 and (N,) int64; and its scores there.

    Returns:
        The probes, and a trial for each of `alphas`.
    """
    calibrated, trials = [], []
    for alpha, probe, scores in zip(alphas, probes, ridge_scores(probes, features), strict=True):
        probe, accuracy, loss = calibrate(probe, scores, labels)
        calibrated.append(probe)
        trials.append(Trial(alpha, accuracy, loss))
    return calibrated, trials


def calibrate(probe: RidgeProbe, scores: np.ndarray, labels: np.ndarray) -> tuple[RidgeProbe, float, float]:
    """Give a probe the temperature, of TEMPERATURES, that has the lowest loss on these images.

    Args:
        scores: of this probe, (N, K), on images that it was not fitted to.
        labels: (N,) int64.

    Returns:
        The probe, and its accuracy and its loss in nats on the images. No temperature changes the accuracy.
    """
    label_scores = scores[np.arange(len(labels)), labels].astype(np.float64)
    losses = [float((_log_sum_exp(scores, t)[:, 0] - label_scores / t).mean()) for t in TEMPERATURES]
    best = int(np.argmin(losses))
    accuracy = float((scores.argmax(axis=1) == labels).mean())
    return probe._replace(temperature=float(TEMPERATURES[best])), accuracy, losses[best]


def _log_sum_exp(scores: np.ndarray, temperature: float) -> np.ndarray:
    """log sum_k exp(scores_k / temperature): (N, 1) float64."""
    highest = scores.max(axis=1, keepdims=True)
    sums = np.exp((scores - highest).astype(np.float64) / temperature).sum(axis=1, keepdims=True)
    return highest.astype(np.float64) / temperature + np.log(sums)


def _centred_parts(features: np.ndarray, mean: np.ndarray, *, by_images: bool):
    """Slices of images and of features, and that part of features - mean in float64."""
    images, dimension = features.shape
    length, across = (images, dimension) if by_images else (dimension, images)
    step = max(1, CHUNK_VALUES // across)
    for start in range(0, length, step):
        part = slice(start, start + step)
        rows, columns = (part, slice(None)) if by_images else (slice(None), part)
        yield rows, columns, features[rows, columns].astype(np.float64) - mean[columns]
