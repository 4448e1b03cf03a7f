"""Ridge regression whose alpha is selected by the leave-one-out squared error, in parts of the images.

As scikit-learn's `RidgeCV`, which holds several float64 copies of all features: 27 GB at ten times Food-101's images
and 9,000 features.
"""

from collections.abc import Iterator

import numpy as np

PART_VALUES = 8_000_000  # float64 values made of float32 features at once


def fit_ridge_by_leave_one_out(
    features: np.ndarray, targets: np.ndarray, alphas: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Fit ridge regression with an intercept for each alpha, and keep the one with the smallest error.

    Args:
        features: (N, D) float32; a decomposition of D x D is computed, so N should be larger than D.
        targets: (N, K) float64.
        alphas: above 0; of equal errors the first counts.

    Returns:
        Weights (D, K) and bias (K,), float32: predictions are features @ weights + bias.
    """
    # With X and Y centred and X'X = Q diag(e) Q', the weights of an alpha are W = Q diag(1 / (e + alpha)) Q' X'Y. The
    # prediction of image i is a weighted sum of all targets, in which its own has the weight (its leverage)
    #   h_i = 1 / N + sum_j (x_i Q)_j^2 / (e_j + alpha),
    # and without image i the fit would miss its target by (y_i - x_i W) / (1 - h_i) (Golub, Heath and Wahba 1979,
    # Technometrics 21). So two passes over the images do, one for X'X and one for the errors of every alpha.
    images, dimension = features.shape
    mean, target_mean = features.mean(axis=0, dtype=np.float64), targets.mean(axis=0)
    gram, right = np.zeros((dimension, dimension)), np.zeros((dimension, targets.shape[1]))
    for rows, part in _centred_parts(features, mean):
        gram += part.T @ part
        right += part.T @ (targets[rows] - target_mean)
    eigenvalues, vectors = np.linalg.eigh(gram)
    del gram
    # Rounding leaves some of the zeros a little below zero.
    scale = 1 / (np.clip(eigenvalues, 0, None)[:, None] + np.asarray(alphas))
    solutions = scale.T[:, :, None] * (vectors.T @ right)

    errors = np.zeros(len(alphas))
    for rows, part in _centred_parts(features, mean):
        rotated = part @ vectors
        unexplained = 1 - 1 / images - np.square(rotated) @ scale
        for number, solution in enumerate(solutions):
            residual = targets[rows] - target_mean - rotated @ solution
            errors[number] += np.square(residual / unexplained[:, number, None]).sum()
    weights = vectors @ solutions[errors.argmin()]
    return weights.astype(np.float32), (target_mean - mean @ weights).astype(np.float32)


def _centred_parts(features: np.ndarray, mean: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Slices of images, and that part of features - mean in float64."""
    step = max(1, PART_VALUES // features.shape[1])
    for start in range(0, len(features), step):
        rows = slice(start, start + step)
        yield rows, features[rows].astype(np.float64) - mean
