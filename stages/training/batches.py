"""The order of the images in an epoch: a function of the seed and the epoch alone."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=1)  # asked for at every step of the epoch
def epoch_order(images: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of range(images), read-only."""
    order = np.random.default_rng([seed, epoch]).permutation(images)
    order.flags.writeable = False
    return order
