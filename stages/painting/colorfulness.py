"""Colourfulness as people judge it (Hasler and Suesstrunk 2003, section 6, the metric M3)."""

import torch


def colorfulness(rgb: torch.Tensor) -> torch.Tensor:
    """Colourfulness of each image: 0 is grey, 15 slightly, 33 moderately, 59 quite, 109 extremely colourful (table 2).

    With rg = R - G and yb = (R + G) / 2 - B, of R, G, B in 0..255: the length of (std rg, std yb) plus 0.3 times the
    length of (mean rg, mean yb), over an image's pixels.

    Args:
        rgb: (N, 3, H, W) gamma-encoded sRGB in [0, 1].

    Returns:
        (N,).
    """
    red, green, blue = (255 * rgb).unbind(dim=1)
    opponents = torch.stack((red - green, (red + green) / 2 - blue), dim=1).flatten(2)
    spread = opponents.std(dim=2, correction=0).norm(dim=1)
    return spread + 0.3 * opponents.mean(dim=2).norm(dim=1)
