"""Pixel weights of class-rebalanced raw accuracy: inverse to the prior of the true colour (Zhang 2016, section 3.1)."""

import numpy as np

from stages.palette.bins import bins_of_ab8
from stages.palette.prior import rebalancing_weights, smoothed_prior

# Zhang 2016, section 2.2, in units of Lab. The metric's own, whatever the training smooths with.
SIGMA = 5.0
# The paper sets lambda to 0 in equation 4: the inverse of the smoothed prior. Slightly above 0 it bounds the weight of
# a colour that no training image has, one pixel of which would else decide the result. On Food-101 the area under the
# curve of grey is 0.628 with it, 0.625 without, and 0.839 with equal weights.
MIX = 1e-4


def rarity_table(bins: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Weight of a pixel by its stored a and b.

    Args:
        bins: (Q, 2) centres of the ab bins.
        prior: (Q,) their shares of the training images' pixels; see `stages.palette.counts.read_prior`.

    Returns:
        (256, 256) float64, for `table[lab8[:, 1], lab8[:, 2]]`; its mean over the smoothed prior is 1.
    """
    return rebalancing_weights(smoothed_prior(bins, prior, SIGMA), MIX)[bins_of_ab8(bins)]
