"""The features that a probe sees: pixels as a representation, and one normalisation for every representation.

A representation of N images is a float16 array (N, V, C, H, W). View 0 is the image; view 1, where there
is one, is the mirror image. Latents are stored in this form; pixels are brought to it here.
"""

from typing import NamedTuple

import numpy as np

from stages.color.lab import decode_lab8, lab_to_rgb
from stages.color.scaling import lightness_input
from stages.shared.errors import StageError

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


class Moments(NamedTuple):
    """Mean and standard deviation of each channel: two float32 arrays (C,)."""

    mean: np.ndarray
    std: np.ndarray


def channel_moments(features: np.ndarray) -> Moments:
    """Moments of each channel over images, views and positions.

    The standard deviation has a floor of 2^-10 of the mean's size (and 1e-6): float16 keeps 11 bits, so
    what varies less than that is rounding, and must not be blown up to unit variance.

    Args:
        features: (N, V, C, H, W) float16; the probe subset of one domain.

    Raises:
        StageError: when a value is not finite.
    """
    count = features.size // features.shape[2]
    mean = sum(part.sum(axis=(0, 1, 3, 4)) for part in _in_chunks(features)) / count
    if not np.isfinite(mean).all():
        raise _not_finite()
    centred = mean[:, None, None]
    variance = sum(np.square(part - centred).sum(axis=(0, 1, 3, 4)) for part in _in_chunks(features)) / count
    std = np.maximum(np.sqrt(variance), np.maximum(np.abs(mean) * 2**-10, 1e-6))
    return Moments(mean.astype(np.float32), std.astype(np.float32))


def standardise(features: np.ndarray, moments: Moments) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation, channel by channel.

    Args:
        features: (N, V, C, H, W) float16.

    Returns:
        The same shape, float16.

    Raises:
        StageError: when a value is not finite.
    """
    mean, std = moments.mean[:, None, None], moments.std[:, None, None]
    standardised = np.empty(features.shape, dtype=np.float16)
    step = _chunk_length(features)
    for start in range(0, len(features), step):
        part = (features[start : start + step].astype(np.float32) - mean) / std
        with np.errstate(over="ignore"):
            standardised[start : start + step] = part
        # Also what only float16 cannot hold.
        if not np.isfinite(standardised[start : start + step]).all():
            raise _not_finite()
    return standardised


def vector_moments(vectors: np.ndarray) -> Moments:
    """Moments of each feature over images, with the floor of `channel_moments`.

    Args:
        vectors: (N, D) float32; view 0 of the probe subset of one domain.

    Raises:
        StageError: when a value is not finite.
    """
    return channel_moments(vectors[:, None, :, None, None])


def standardise_vectors(vectors: np.ndarray, moments: Moments) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation, feature by feature: (N, D) float32.

    Raises:
        StageError: when a value is not finite.
    """
    scaled = vectors - moments.mean
    scaled /= moments.std
    if not np.isfinite(scaled).all():
        raise _not_finite()
    return scaled


def _scaled_rgb(lab8: np.ndarray) -> np.ndarray:
    return np.clip(lab_to_rgb(decode_lab8(lab8)), 0, 1) * 2 - 1


def _scaled_lightness(lab8: np.ndarray) -> np.ndarray:
    return lightness_input(decode_lab8(lab8))


def _chunk_length(features: np.ndarray) -> int:
    return max(1, CHUNK_VALUES // max(1, int(np.prod(features.shape[1:]))))


def _in_chunks(features: np.ndarray):
    step = _chunk_length(features)
    for start in range(0, len(features), step):
        yield features[start : start + step].astype(np.float64)


def _not_finite() -> StageError:
    return StageError(
        "the representation holds values that are not finite. An encoder whose training diverged, or whose "
        "latents leave float16's range, does this: lower train.learning_rate and rerun."
    )
