"""A photograph with known colours, and the same in the many ways that files store it."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image
from skimage.color import rgb2lab


def _draw() -> np.ndarray:
    """(120, 160, 3) uint8: smooth, muted enough for any colour space, from dark to light."""
    y, x = np.mgrid[:120, :160] / [[[120]], [[160]]]
    grey = 30 + 180 * (x + y) / 2
    return np.stack((grey + 25 * np.sin(5 * x), grey + 15 * np.cos(4 * y), grey - 25 * np.sin(5 * y)), -1).astype(
        np.uint8
    )


PHOTOGRAPH = Image.fromarray(_draw())
GREY = Image.fromarray(np.tile(np.arange(8, 248, dtype=np.uint8), (40, 1)))  # 240 x 40


def linear(rgb: np.ndarray) -> np.ndarray:
    """Linear light, 0..1, of gamma-encoded sRGB in 0..1 (IEC 61966-2-1)."""
    return np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(greys: np.ndarray, **options) -> bytes:
    """Any layout of (H, W) greys, or of (H, W, C); tags as `extratags=[(code, type, count, value, True)]`."""
    buffer = io.BytesIO()
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(buffer, greys, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks after its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def lightness(image: Image.Image) -> np.ndarray:
    """L of CIE Lab, (H, W), by scikit-image."""
    return rgb2lab(np.asarray(image.convert("RGB")) / 255)[..., 0]


def lightness_off(image: Image.Image, reference: Image.Image) -> float:
    """The mean absolute difference of L."""
    return float(np.abs(lightness(image) - lightness(reference)).mean())
