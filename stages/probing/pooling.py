"""Maps to vectors: averages over positions, for the probes that know no convolution."""

import numpy as np
import torch
from torch.nn import functional as F

from stages.shared.pooling import whole_factor

CHUNK_IMAGES = 1024


def pool_positions(features: np.ndarray, grid: int) -> np.ndarray:
    """Average maps over a grid x grid raster; an axis that is no longer than the grid stays as it is.

    Args:
        features: (N, V, C, H, W) float16.

    Returns:
        (N, V, C * min(grid, H) * min(grid, W)) float32.
    """
    images, views, channels, height, width = features.shape
    size = min(grid, height), min(grid, width)
    pooled = np.empty((images, views, channels * size[0] * size[1]), dtype=np.float32)
    for start in range(0, images, CHUNK_IMAGES):
        part = torch.from_numpy(features[start : start + CHUNK_IMAGES].astype(np.float32))
        pooled[start : start + CHUNK_IMAGES] = F.adaptive_avg_pool2d(part.flatten(0, 1), size).reshape(
            len(part), views, -1
        )
    return pooled


def pool_to_limit(features: np.ndarray, limit: int) -> np.ndarray:
    """View 0 of maps, averaged over blocks until a map has at most `limit` values: see `whole_factor`.

    Args:
        features: (N, V, C, S, S) float16.

    Returns:
        (N, D) float32.

    Raises:
        ValueError: when maps are not square.
    """
    channels, height, width = features.shape[2:]
    if height != width:
        raise ValueError(f"maps must be square; got {height} x {width}")
    return pool_positions(features[:, :1], height // whole_factor(channels, height, limit))[:, 0]
