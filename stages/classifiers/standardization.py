"""Standardise features channel by channel: one normalisation for every representation.

Features of N images are a float16 array (N, V, C, H, W). View 0 is the image; view 1, where there is one, its mirror
image. Statistics are those of the probe images; labels are not used.
"""

from typing import NamedTuple

import numpy as np

from stages.runtime.errors import StageError

CHUNK_VALUES = 4_000_000  # float32 values in work at once: memory stays near the output's size


class ChannelStats(NamedTuple):
    """Mean and standard deviation of each channel: two float32 arrays (C,)."""

    mean: np.ndarray
    std: np.ndarray


def channel_stats(features: np.ndarray) -> ChannelStats:
    """Mean and standard deviation of each channel over images, views and positions.

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
    return ChannelStats(mean.astype(np.float32), std.astype(np.float32))


def standardise(features: np.ndarray, stats: ChannelStats) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation, channel by channel.

    Args:
        features: (N, V, C, H, W) float16.

    Returns:
        The same shape, float16.

    Raises:
        StageError: when a value is not finite.
    """
    mean, std = stats.mean[:, None, None], stats.std[:, None, None]
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


def vector_stats(vectors: np.ndarray) -> ChannelStats:
    """Mean and standard deviation of each feature over images, with the floor of `channel_stats`.

    Args:
        vectors: (N, D) float32; view 0 of the probe subset of one domain.

    Raises:
        StageError: when a value is not finite.
    """
    return channel_stats(vectors[:, None, :, None, None])


def standardise_vectors(vectors: np.ndarray, stats: ChannelStats) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation, feature by feature: (N, D) float32.

    Raises:
        StageError: when a value is not finite.
    """
    scaled = vectors - stats.mean
    scaled /= stats.std
    if not np.isfinite(scaled).all():
        raise _not_finite()
    return scaled


def _chunk_length(features: np.ndarray) -> int:
    return max(1, CHUNK_VALUES // max(1, int(np.prod(features.shape[1:]))))


def _in_chunks(features: np.ndarray):
    step = _chunk_length(features)
    for start in range(0, len(features), step):
        yield features[start : start + step].astype(np.float64)


def _not_finite() -> StageError:
    return StageError(
        "the representation holds values that are not finite: the encoder's training diverged, or its latents exceed "
        "float16's range. Lower train.learning_rate and rerun."
    )
