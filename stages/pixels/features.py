"""Pixels as a representation: sRGB or lightness, at full size or averaged down to the latents' grid."""

import numpy as np

from stages.color.lab import decode_lab8, lab_to_rgb
from stages.color.normalization import normalize_lightness

CHUNK_VALUES = 4_000_000  # float32 values in work at once: memory stays near the output's size


def pixel_features(lab8: np.ndarray, representation: str, *, stride: int, views: int) -> np.ndarray:
    """Pixels as a representation.

    `rgb` is gamma-encoded sRGB, clipped to the gamut; `lightness` is L of CIE Lab. `rgb_small` and
    `lightness_small` are their averages over stride x stride blocks: as many positions as an encoder of
    that stride gives, so that a probe has the same grid to look at.

    Args:
        lab8: (N, 3, S, S) uint8, the stored form of Lab.
        representation: `rgb`, `lightness`, `rgb_small` or `lightness_small`.
        stride: edge of a block, in pixels; divides S. Not used at full resolution.
        views: 1 for the images alone, 2 for the images and their mirror images.

    Returns:
        (N, views, C, H, W) float16 in [-1, 1], C = 3 for sRGB and 1 for lightness.

    Raises:
        ValueError: for another shape, dtype or representation, or a stride that does not divide S.
    """
    if lab8.ndim != 4 or lab8.shape[1] != 3 or lab8.dtype != np.uint8:
        raise ValueError(f"lab8 must be (N, 3, S, S) uint8; got {lab8.shape} {lab8.dtype}")
    convert = {"rgb": _scaled_rgb, "lightness": _scaled_lightness}.get(representation.removesuffix("_small"))
    if convert is None:
        raise ValueError(f"representation must name pixels; got '{representation}'")
    block = stride if representation.endswith("_small") else 1
    images, _, height, width = lab8.shape
    if height % block or width % block:
        raise ValueError(f"a stride of {block} must divide the image's edges; got {height} x {width}")

    channels = 3 if convert is _scaled_rgb else 1
    features = np.empty((images, views, channels, height // block, width // block), dtype=np.float16)
    step = max(1, CHUNK_VALUES // (3 * height * width))
    for start in range(0, images, step):
        pixels = convert(lab8[start : start + step])
        blocks = pixels.reshape(*pixels.shape[:2], height // block, block, width // block, block)
        means = blocks.mean(axis=(3, 5))
        for view in range(views):
            features[start : start + step, view] = means[..., ::-1] if view == 1 else means
    return features


def _scaled_rgb(lab8: np.ndarray) -> np.ndarray:
    return np.clip(lab_to_rgb(decode_lab8(lab8)), 0, 1) * 2 - 1


def _scaled_lightness(lab8: np.ndarray) -> np.ndarray:
    return normalize_lightness(decode_lab8(lab8))
