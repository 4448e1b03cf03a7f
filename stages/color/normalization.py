"""Lab as networks take and give it: every channel scaled to [-1, 1], here and nowhere else."""

import torch

# a and b reach from -108 to 98 inside the sRGB gamut: divided by 110 they fill [-1, 1].
AB_SCALE = 110.0
LIGHTNESS_SCALE = 50.0
CHANNELS = {"lightness": 1, "ab": 2, "lab": 3}


def normalize_lightness(lab):
    """(N, 3, H, W) Lab, an array or a tensor -> (N, 1, H, W), L scaled from 0..100 to [-1, 1]."""
    return lab[:, :1] / LIGHTNESS_SCALE - 1


def normalize_ab(lab):
    """(N, 3, H, W) Lab, an array or a tensor -> (N, 2, H, W), a and b scaled to [-1, 1]."""
    return lab[:, 1:] / AB_SCALE


def denormalize_ab(output):
    """(N, 2, H, W) as a colorization network gives it -> a and b in units of Lab."""
    return output * AB_SCALE


def normalize_lab(lab: torch.Tensor, channels: str) -> torch.Tensor:
    """The `lightness`, `ab` or `lab` of (N, 3, H, W) Lab, scaled to [-1, 1]: (N, 1, 2 or 3, H, W)."""
    if channels == "lightness":
        return normalize_lightness(lab)
    if channels == "ab":
        return normalize_ab(lab)
    return torch.cat((normalize_lightness(lab), normalize_ab(lab)), dim=1)
