"""How close painted images come to the true ones."""

import math
from collections.abc import Callable

import lpips
import numpy as np
import torch

from stages.color.lab import lab_to_rgb
from stages.pretext.batches import load_batch

BATCH = 64
# Two images that are equal after rounding to 8 bits still differ by the rounding, whose mean square is 1/12 of a step:
# it bounds PSNR at 58.9 dB, where a grey photograph painted grey would have an infinite one.
ROUNDING = (1 / 255) ** 2 / 12


@torch.inference_mode()
def colorization_quality(
    paint: Callable[[torch.Tensor], torch.Tensor],
    array: np.ndarray,
    metric: lpips.LPIPS,
    device: torch.device,
) -> dict[str, np.ndarray]:
    """Compare painted with true images, one by one.

    Args:
        paint: from the true (N, 3, S, S) float32 Lab, of which it may look at L, to a and b, (N, 2, S, S).
        array: (N, 3, S, S) uint8 Lab.
        metric: see `stages.pretext.losses.open_lpips`.

    Returns:
        By name, each (N,) float64: `psnr` in dB, on sRGB in [0, 1], clipped; `lpips`, on the same; `ab_rmse`, the
        root of the mean over pixels of the squared Euclidean distance in (a, b).
    """
    scores = {"psnr": [], "lpips": [], "ab_rmse": []}
    for start in range(0, len(array), BATCH):
        lab = load_batch(array, np.s_[start : start + BATCH], device)
        painted = torch.cat((lab[:, :1], paint(lab)), dim=1)
        truth_rgb, painted_rgb = lab_to_rgb(lab).clip(0, 1), lab_to_rgb(painted).clip(0, 1)
        squared_error = (truth_rgb - painted_rgb).square().mean(dim=(1, 2, 3))
        scores["psnr"].append(-10 * squared_error.clip(min=ROUNDING).log10())
        scores["lpips"].append(metric(painted_rgb, truth_rgb, normalize=True).flatten())
        scores["ab_rmse"].append((painted - lab).square().sum(dim=1).mean(dim=(1, 2)).sqrt())
    return {name: torch.cat(parts).double().cpu().numpy() for name, parts in scores.items()}


def mean_ab(array: np.ndarray) -> tuple[float, float]:
    """Mean a and b over the pixels of a (N, 3, S, S) uint8 Lab array."""
    a, b = (float(array[:, channel].mean(dtype=np.float64)) - 128 for channel in (1, 2))
    return a, b


def summary(scores: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, float]:
    """Means over the images of `rows` (N,) bool, rounded to 6 digits.

    Raises:
        ValueError: when a mean is not finite.
    """
    means = {name: round(float(values[rows].mean()), 6) for name, values in scores.items()}
    if not all(map(math.isfinite, means.values())):
        raise ValueError(f"scores must be finite; got {means}")
    return means
