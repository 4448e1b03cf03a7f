"""Maps averaged over blocks or a grid of positions, for what sees no more than so many values.

Zhang et al. compare layers at about 9,000 features each (Split-Brain Autoencoders, arXiv 1611.09842, section 4.1),
so that a layer does not win by its size.
"""

import numpy as np
import torch
from torch.nn import functional as F

CHUNK_IMAGES = 1024


def whole_factor(channels: int, side: int, limit: int) -> int:
    """The smallest divisor of `side` by which channels x side x side values come down to at most `limit`.

    Where no divisor gets there (more channels than `limit`), `side`: one position is left.

    >>> whole_factor(32, 64, 9000), whole_factor(4, 16, 9000), whole_factor(3, 128, 9000)
    (4, 1, 4)
    """
    divisors = (factor for factor in range(1, side) if side % factor == 0)
    return next((factor for factor in divisors if channels * (side // factor) ** 2 <= limit), side)


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
