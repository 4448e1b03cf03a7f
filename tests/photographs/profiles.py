"""ICC profiles to embed, and a photograph's numbers in their spaces, worked out apart from the code under test."""

import struct

import numpy as np

from stages.photographs.unembedded import SRGB_WHITE, gamma_profile
from tests.photographs.pictures import linear

D50_WHITE = (0.3457, 0.3585)
# Primaries (x, y), white, gamma of each.
SPACES = {
    "Display P3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), SRGB_WHITE, 2.2),
    "Adobe RGB": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), SRGB_WHITE, 563 / 256),
    "ProPhoto RGB": (((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), D50_WHITE, 1.8),
    "linear": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), SRGB_WHITE, 1.0),
}
SRGB_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
D65_TO_D50 = np.array([[1.0479, 0.0229, -0.0502], [0.0296, 0.9904, -0.0171], [-0.0092, 0.0151, 0.7519]])


def profile_of(space: str) -> bytes:
    primaries, white, gamma = SPACES[space]
    return gamma_profile(gamma, white, primaries)


def numbers_in(space: str, rgb: np.ndarray) -> np.ndarray:
    """What a photograph's sRGB, (H, W, 3) in 0..1, is in another space, in 0..1."""
    primaries, white, gamma = SPACES[space]
    xyz = linear(rgb) @ SRGB_TO_XYZ.T
    if white == D50_WHITE:
        xyz = xyz @ D65_TO_D50.T
    directions = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    scales = np.linalg.solve(directions, [white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    return (xyz @ np.linalg.inv(directions * scales).T).clip(0, 1) ** (1 / gamma)


def ink_lab(cmyk: np.ndarray) -> np.ndarray:
    """CIE Lab under D50 of inks, (..., 4) in 0..1, as `ink_profile` has them: made up; black is L = 0."""
    c, m, y, k = np.moveaxis(cmyk, -1, 0)
    paper = 1 - k
    lightness = 100 * paper * (1 - 0.2 * c) * (1 - 0.3 * m) * (1 - 0.1 * y)
    return np.stack((lightness, 10 * paper * (m - c), 10 * paper * (y - m)), axis=-1)


def ink_profile(space: bytes = b"CMYK") -> bytes:
    """A printer's profile: a table of 9 steps of each ink (ICC.1:2001-04, lut16Type)."""
    steps = np.linspace(0, 1, 9)
    lab = ink_lab(np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), axis=-1)).reshape(-1, 3)
    table = np.rint(lab * [652.8, 256, 256] + [0, 32768, 32768]).astype(">u2").tobytes()
    straight = struct.pack(">2H", 0, 65535)
    lut = struct.pack(">4s4x4B", b"mft2", 4, 3, 9, 0)
    lut += struct.pack(">9i", *(65536 * number for number in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut += struct.pack(">2H", 2, 2) + 4 * straight + table + 3 * straight
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    start = 128 + 4 + 2 * 12
    tags = struct.pack(">I4sII4sII", 2, b"A2B0", start, len(lut), b"wtpt", start + len(lut), len(white))
    size = start + len(lut) + len(white)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x3i48x", size, 0x02400000, b"prtr", space, b"Lab ", b"acsp", 63190, 65536, 54061
    )
    return header + tags + lut + white
