"""Baselines of colorization: they use a pixel's lightness at most."""

import numpy as np
import torch

from stages.painting.quality import Painter


def baseline_painters(pixels: np.ndarray, means: np.ndarray, device: torch.device) -> dict[str, Painter]:
    """The painters `grey`, `mean_ab` and `mean_ab_by_lightness`.

    `grey` predicts a = b = 0; `mean_ab` the mean colour of the training pixels, which has the least squared error
    of all constants; `mean_ab_by_lightness` the mean colour of the training pixels of the same stored lightness, which
    has the least of all functions of one pixel's lightness.

    Args:
        pixels: (256,) training pixels of each stored lightness.
        means: (256, 2) their mean a and b; see `stages.palette.counts.read_mean_ab`.
    """
    average = pixels @ means / pixels.sum()
    constant = torch.tensor(average, dtype=torch.float32, device=device).reshape(1, 2, 1, 1)
    by_lightness = torch.tensor(means.T, dtype=torch.float32, device=device)

    def look_up(lab: torch.Tensor) -> torch.Tensor:
        stored = (lab[:, 0] * 2.55).round().long().clip(0, 255)
        return by_lightness[:, stored].transpose(0, 1)

    return {
        "grey": lambda lab: torch.zeros_like(lab[:, 1:]),
        "mean_ab": lambda lab: constant.expand_as(lab[:, 1:]),
        "mean_ab_by_lightness": look_up,
    }
