"""Colours that are described in another way than Pillow looks for: PNG's gamma, a camera's Adobe RGB, a box of JP2.

Each is written as a profile, so that there is one way from any colours to sRGB.
"""

import struct
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

SRGB_WHITE, SRGB_PRIMARIES = (0.3127, 0.3290), ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_RGB_PRIMARIES, ADOBE_RGB_GAMMA = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256
SRGB_GAMMA = 2.2  # by convention a PNG of 1/2.2 and these primaries is sRGB, whose curve is another
TOLERANCE = 0.01
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_INTEROPERABILITY_INDEX, _COLOR_SPACE, _UNCALIBRATED, _ADOBE_RGB = 1, 0xA001, 0xFFFF, 2


def described_profile(image: Image.Image) -> bytes | None:
    """An ICC profile of the colours that an opened image describes in another way, or None where it describes none."""
    if image.format == "PNG":
        return _of_png(image)
    return _of_exif(image) if image.format in ("JPEG", "MPO") and image.mode == "RGB" else None


def jp2_profile(file: BinaryIO) -> bytes | None:
    """The ICC profile in a JP2 file (ISO/IEC 15444-1, annex I.5.3.3), which Pillow passes over."""
    file.seek(0)
    head = file.read(1 << 22)
    for name, content in _boxes(head):
        if name == b"jp2h":
            for part, color in _boxes(content):
                if part == b"colr" and color[:1] in (b"\2", b"\3"):
                    return color[3:]
    return None


def _boxes(content: bytes):
    start = 0
    while start + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, start)
        end = start + length if length >= 8 else len(content)
        yield name, content[start + 8 : end]
        start = end


def _of_png(image: Image.Image) -> bytes | None:
    """By the chunks gAMA and cHRM (PNG, third edition, 11.3.2); sRGB has precedence over them."""
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    if not isinstance(gamma, float) or not 0.1 < gamma < 10 or "srgb" in image.info:
        return None
    gamma = 1 / gamma
    if image.mode in ("1", "L", "LA", "I;16"):
        return None if abs(gamma / SRGB_GAMMA - 1) < TOLERANCE else gamma_profile(gamma)
    white, primaries = SRGB_WHITE, SRGB_PRIMARIES
    if isinstance(points, tuple):
        white, *primaries = zip(points[::2], points[1::2], strict=True)
    usual = np.abs(np.subtract((white, *primaries), (SRGB_WHITE, *SRGB_PRIMARIES))).max() < TOLERANCE
    if usual and abs(gamma / SRGB_GAMMA - 1) < TOLERANCE:
        return None
    return gamma_profile(gamma, white, primaries)


def _of_exif(image: Image.Image) -> bytes | None:
    """By DCF 2.0: a camera set to Adobe RGB says so in EXIF and embeds no profile."""
    try:
        exif = image.getexif()
        space = exif.get_ifd(ExifTags.IFD.Exif).get(_COLOR_SPACE)
        index = exif.get_ifd(ExifTags.IFD.Interop).get(_INTEROPERABILITY_INDEX) if space == _UNCALIBRATED else None
    except Exception:  # broken metadata
        return None
    if space == _ADOBE_RGB or index == "R03":
        return gamma_profile(ADOBE_RGB_GAMMA, SRGB_WHITE, ADOBE_RGB_PRIMARIES)
    return None


def gamma_profile(gamma: float, white=None, primaries=None) -> bytes:
    """An ICC profile (version 2) of a power curve.

    Args:
        gamma: linear light is a sample, in 0..1, to the power of it.
        white, primaries: (x, y) of white, and of red, green and blue; greys without.
    """
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(gamma * 256))
    tags = {b"wtpt": _xyz(D50), b"cprt": struct.pack(">4s4x", b"text") + b"CC0\0", b"desc": _DESCRIPTION}
    if primaries is None:
        tags[b"kTRC"] = curve
    else:
        columns = _adapted_columns(white, primaries)
        for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
            tags |= {name + b"XYZ": _xyz(column), name + b"TRC": curve}
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    space = b"GRAY" if primaries is None else b"RGB "
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x12s48x",
        *(start + len(data), b"", 0x02400000, b"mntr", space, b"XYZ ", b"acsp", _xyz(D50)[8:]),
    )
    return header + table + data


_DESCRIPTION = struct.pack(">4s4xI", b"desc", 10) + b"described\0" + bytes(78)


def _xyz(value: np.ndarray) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(float(number) * 65536) for number in value))


def _adapted_columns(white, primaries) -> np.ndarray:
    """Linear RGB to XYZ under D50 (Lindbloom, "RGB/XYZ matrices"; chromatic adaptation by Bradford)."""
    directions = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    white_xyz = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    columns = directions * np.linalg.solve(directions, white_xyz)
    cones = (BRADFORD @ D50) / (BRADFORD @ white_xyz)
    return np.linalg.inv(BRADFORD) @ (cones[:, None] * BRADFORD) @ columns
