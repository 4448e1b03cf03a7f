"""What is judged: features of images, in layers, from one or more pretraining runs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stages.probing.layer_probes import LayerProbes


@dataclass(frozen=True)
class Representation:
    """What is judged.

    Attributes:
        read: read(pretraining_seed, layer, subset, positions) gives features (n, V, C, H, W) float16 of the rows
            `positions` of a subset's array, V = 2 for `probe`; asked for `test` after the last choice and the last fit.
        layers: names, from the image on; the order of layers.csv.
        headline: the one of them that is always given every head.
        pretraining_seeds: K; each of 0..K-1 is judged by itself.
        limit: features that the ridge probe sees, at most: `latents.features`.
    """

    read: Callable[[int, str, str, np.ndarray], np.ndarray]
    layers: list[str]
    headline: str
    pretraining_seeds: int
    limit: int


# The probes of one domain, by layer and pretraining seed.
Fitted = dict[tuple[str, int], LayerProbes]
