"""Accuracy of the ridge probe along the depth of an encoder (as in Zhang et al. 2016, figure 7, and 2017, figure 4)."""

import pandas as pd

from stages.comparison.estimates import Estimates
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DEPTH, DIGITS
from stages.probing.tables import DEPTH_HEAD
from stages.study.vocabulary import DOMAINS


def depth_table(representations: list[ProbedRepresentation], estimates: Estimates) -> pd.DataFrame:
    """Test accuracy of each layer with its 95 % interval, beside the validation accuracy that chose the best.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer and head.

    Returns:
        `DEPTH`, from the image to the latents; pixels are one row. `chosen` is 1 for the best layer.
    """
    rows = []
    for domain in DOMAINS:
        for representation in representations:
            for layer in representation.layers[domain].table.itertuples():
                accuracy, low, high, *_ = estimates[domain][representation.name, layer.layer, DEPTH_HEAD].interval()
                known = (layer.layer, layer.order, layer.features, layer.validation_accuracy)
                rows.append((domain, representation.name, *known, accuracy, low, high, layer.chosen))
    return DEPTH.frame(rows).round(DIGITS)
