"""Raw accuracy of painted colours, and the area under its curve, AuC (Zhang 2016, section 3.1).

The share of pixels whose painted (a, b) lies within a Euclidean distance t of the true one, for t = 0, 1, ..., 150; the
area under that curve, as a fraction of the largest possible. Class-rebalanced, each pixel weighs the inverse of how
common its true colour is, so that the many greyish ones do not decide alone.

torch is not imported here, so that `evaluate_colorization`, which reads the curves, starts without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

LARGEST = 150
THRESHOLDS = LARGEST + 1  # 0, 1, ..., 150


def distance_histograms(
    painted_ab: torch.Tensor, true_ab: torch.Tensor, weights: np.ndarray | None = None
) -> np.ndarray:
    """Histogram, for each image, of its pixels' distances from their true colours.

    Args:
        painted_ab, true_ab: (N, 2, H, W) in units of Lab.
        weights: (N, H, W) of the pixels; None: 1 each.

    Returns:
        (N, 152) float64: column 0 holds distances of exactly 0, column t those in (t - 1, t], the last column those
        above 150. The sum of several images' histograms is the histogram of all their pixels.
    """
    distances = (painted_ab - true_ab).square().sum(dim=1).sqrt()
    columns = distances.ceil().clip(max=LARGEST + 1).flatten(1).cpu().numpy().astype(np.int64)
    # Summed by NumPy, in one order: a GPU's sums over bins would differ from run to run.
    columns += (LARGEST + 2) * np.arange(len(columns))[:, None]
    flat = None if weights is None else weights.reshape(-1)
    sums = np.bincount(columns.reshape(-1), flat, minlength=len(columns) * (LARGEST + 2))
    return sums.reshape(len(columns), LARGEST + 2).astype(np.float64)


def accuracy_curve(histogram: np.ndarray) -> np.ndarray:
    """The share of weight within each threshold 0..150: (..., 152) -> (..., 151), in 0..1."""
    return histogram.cumsum(axis=-1)[..., :-1] / histogram.sum(axis=-1, keepdims=True)


def area_under_curve(curve: np.ndarray) -> np.ndarray:
    """The curve's integral by the trapezoidal rule, over its length: (..., 151) -> (...), in 0..1."""
    return np.trapezoid(curve, axis=-1) / LARGEST
