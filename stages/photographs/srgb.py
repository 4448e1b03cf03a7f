"""Opaque sRGB of pixels of any mode: greys of any depth, palettes, CMYK, Lab, transparency, colour profiles."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from stages.photographs.greys import WIDE_MODES, scale_greys
from stages.photographs.profiles import ToSrgb, color_profile, profile_to_srgb


def srgb_converter(image: Image.Image, tell: Callable[[str], None]) -> Callable[[Image.Image], Image.Image]:
    """How any part of a decoded image becomes opaque RGB in sRGB.

    The colour profile is applied; greys are scaled by the range of the whole image; transparency is laid on white.

    Args:
        image: decoded.
        tell: is given a line for what had to be assumed.

    Raises:
        ValueError: for greys whose black and white cannot be known.
    """
    embedded = color_profile(image)
    profile = profile_to_srgb(image, embedded, tell)
    clear = image.info.get("transparency")
    if not isinstance(clear, int | bytes | tuple):
        image.info.pop("transparency", None)  # a PNG's text of that name
    if image.mode not in WIDE_MODES:
        return lambda part: _convert(part, profile)
    scale = scale_greys(image, embedded is not None, tell)

    def convert(part: Image.Image) -> Image.Image:
        rgb = _convert_greys(scale(part), profile)
        if isinstance(clear, int):
            rgb.paste((255, 255, 255), mask=Image.fromarray(np.asarray(part) == clear))
        return rgb

    return convert


def _convert(part: Image.Image, profile: ToSrgb | None) -> Image.Image:
    if part.mode in ("La", "RGBa"):
        part = part.convert(part.mode.upper())
    if not part.has_transparency_data:
        return profile(part.convert(profile.mode)) if profile else part.convert("RGB")
    rgba = part.convert("RGBA")
    if profile:
        alpha = rgba.getchannel("A")
        rgba = profile(part.convert(profile.mode)).convert("RGBA")
        rgba.putalpha(alpha)
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _convert_greys(greys: np.ndarray, profile: ToSrgb | None) -> Image.Image:
    """RGB of (H, W) float32 in 0..1."""
    if profile and profile.mode == "I;16":
        return profile(Image.fromarray(np.rint(greys * 65535).astype(np.uint16)))
    rgb = Image.fromarray(np.rint(greys * 255).astype(np.uint8)).convert("RGB")
    return profile(rgb) if profile else rgb
