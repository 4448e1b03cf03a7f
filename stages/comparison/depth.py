"""Accuracy along the depth of an encoder (as in Zhang et al. 2016, figure 7, and 2017, figure 4)."""

import pandas as pd

from stages.comparison.estimates import Estimates
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DEPTH, DIGITS
from stages.study.vocabulary import DOMAINS


def depth_table(representations: list[ProbedRepresentation], estimates: Estimates, heads: list[str]) -> pd.DataFrame:
    """Test accuracy of each layer with its 95 % interval, beside the accuracies that do not need test images.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer and head.
        heads: those that every layer has: `probe.depth_heads`.

    Returns:
        `DEPTH`, for each head from the image to the latents; pixels are one row. `chosen` is 1 for the best layer.
        `validation_accuracy` and `cv_accuracy`, which chose it, are the ridge probe's whatever the row's head.
    """
    rows = []
    for domain in DOMAINS:
        for head in heads:
            for representation in representations:
                for layer in representation.layers[domain].table.itertuples():
                    estimate = estimates[domain][representation.name, layer.layer, head]
                    accuracy, low, high, *_ = estimate.interval()
                    known = (layer.layer, layer.order, layer.features, layer.validation_accuracy, layer.cv_accuracy)
                    rows.append((domain, head, representation.name, *known, accuracy, low, high, layer.chosen))
    return DEPTH.frame(rows).round(DIGITS)
