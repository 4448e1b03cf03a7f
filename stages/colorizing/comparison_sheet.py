"""Lightness, painted and, if the photograph had colours, the original side by side."""

import numpy as np
from PIL import Image

from stages.color.lab import lab_to_rgb, rgb_to_lab
from stages.colorizing.bands import Bands, Whole, shrink

LONGEST_PANEL = 2048  # pixels; larger photographs are scaled down
# A grey photograph stored as colours keeps traces of them: of JPEG's rounding, say.
COLORFUL, COLORFUL_SHARE = 12, 0.001


def comparison_sheet(photograph: Bands, painted: Image.Image) -> Image.Image:
    """RGB of two panels, or of three where more than a thousandth of the photograph has colour."""
    width, height = photograph.size
    scale = min(1, LONGEST_PANEL / max(width, height))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    original = shrink(photograph, size)
    panels = [_lightness(original), shrink(Whole(painted), size)]
    if _has_colors(original):
        panels.append(original)
    sheet = Image.new("RGB", (len(panels) * size[0], size[1]))
    for number, panel in enumerate(panels):
        sheet.paste(panel, (number * size[0], 0))
    return sheet


def _lightness(image: Image.Image) -> Image.Image:
    lab = rgb_to_lab(np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255)
    lab[1:] = 0
    rgb = lab_to_rgb(lab).clip(0, 1).transpose(1, 2, 0)
    return Image.fromarray(np.rint(rgb * 255).astype(np.uint8))


def _has_colors(image: Image.Image) -> bool:
    channels = np.asarray(image)
    spread = channels.max(axis=-1) - channels.min(axis=-1)
    return bool((spread > COLORFUL).mean() > COLORFUL_SHARE)
