"""A photograph's file, whatever its colour mode and orientation, as a small square of 8-bit Lab."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from stages.color.lab import encode_lab8, rgb_to_lab
from stages.photographs.photograph import decode

# JPEG's scaled decoding may stop at this many times the wanted size; the rest is left to the antialiased filter. On
# Food-101 an eighth of the time less than at 2; L is half a level of 255 off decoding in full (docs/performance.md).
REDUCING_GAP = 1.5


def open_photograph(
    content: bytes, smallest: int | None = None, tell: Callable[[str], None] = lambda line: None
) -> Image.Image:
    """Decode one photograph: upright, opaque RGB in sRGB.

    The EXIF orientation and the colour profile are applied; greys of any depth, palettes, CMYK and Lab become sRGB;
    transparency is laid on white. Broken metadata do not matter.

    Args:
        content: the bytes of an image file.
        smallest: where given, JPEGs are decoded at the smallest of the scales 1/1, 1/2, 1/4, 1/8 whose sides have as
            many pixels.
        tell: is given a line for what had to be assumed, of a colour profile that cannot be read, say.

    Raises:
        ValueError: when the bytes cannot be decoded; the message is the reason.
    """

    def prepare(image: Image.Image) -> None:
        if smallest:
            image.draft(None, (smallest, smallest))

    return decode(io.BytesIO(content), tell, prepare).rgb()


def photograph_to_lab8(
    content: bytes, size: int, resize: str, tell: Callable[[str], None] = lambda line: None
) -> np.ndarray:
    """Decode, turn upright, resize and convert one photograph, with an antialiased bicubic filter.

    Args:
        content: the bytes of an image file; see `open_photograph`.
        size: edge of the result in pixels.
        resize: `crop` takes the central square of the shorter side; `squash` takes the whole image.
        tell: see `open_photograph`.

    Returns:
        (3, size, size) uint8, see `stages.color.lab.encode_lab8`.

    Raises:
        ValueError: when the bytes cannot be decoded; the message is the reason.
    """
    rgb = open_photograph(content, round(REDUCING_GAP * size), tell)
    box = _central_square(*rgb.size) if resize == "crop" else None
    return image_to_lab8(rgb.resize((size, size), Image.Resampling.BICUBIC, box))


def image_to_lab8(rgb: Image.Image) -> np.ndarray:
    """(3, H, W) uint8 Lab of an RGB image, see `stages.color.lab.encode_lab8`."""
    return encode_lab8(rgb_to_lab(np.asarray(rgb, dtype=np.float32).transpose(2, 0, 1) / 255))


def _central_square(width: int, height: int) -> tuple[float, float, float, float]:
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side
