"""How much a pixel weighs in class-rebalanced raw accuracy: the inverse of how common its true colour is."""

import numpy as np

from stages.palette.bins import bins_of_ab8
from stages.palette.prior import rebalancing_weights, smoothed_prior

# Zhang 2016, section 2.2, in units of a and b. It is the yardstick's own, whatever the training smooths with.
SIGMA = 5.0
# Zhang 2016, section 3.1, sets lambda to 0 in equation 4: the inverse of the smoothed prior. A hair above 0 bounds it,
# where one pixel of a colour that training images lack would decide alone; on Food-101 the area under the curve of grey
# is 0.628 with it and 0.625 without, and 0.839 where all pixels weigh the same.
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
