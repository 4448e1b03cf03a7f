"""What is probed: the features of a representation, and one layer of them in one domain."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stages.classifiers.domains import Domain
from stages.dataset.manifest import TASKS
from stages.runtime.schema import Probe


@dataclass(frozen=True)
class FeatureSource:
    """Features of images, by layer, from one or more pretraining runs.

    Attributes:
        read: read(pretraining_seed, layer, subset, rows) gives features (n, V, C, H, W) float16 of the rows `rows` of a
            subset's array, with V = 2 views for `probe`.
        layers: names, from the image on: the order of layers.csv.
        fixed: the layers that get every head whatever their accuracy; conv probes of the first are kept for use.
        pretraining_seeds: K; each of 0..K-1 is probed by itself.
        max_features: of an image, for the ridge probe: `latents.features`.
    """

    read: Callable[[int, str, str, np.ndarray], np.ndarray]
    layers: tuple[str, ...]
    fixed: tuple[str, ...]
    pretraining_seeds: int
    max_features: int


@dataclass(frozen=True)
class ProbeRun:
    """One layer from one pretraining run in one domain: what every head is fitted to.

    Attributes:
        settings: the group `probe` of the parameters.
        seed: of the study.
    """

    source: FeatureSource
    domain: Domain
    layer: str
    pretraining_seed: int
    settings: Probe
    seed: int

    @property
    def classes(self) -> int:
        """How many classes the domain has."""
        return len(self.domain.classes)

    @property
    def domain_index(self) -> int:
        """0 in domain, 1 out of domain, 2 matched: the second part of the seed of few-shot draws."""
        return TASKS.index(self.domain.name)

    def read(self, subset: str, images: slice = slice(None)) -> np.ndarray:
        """Features (n, V, C, H, W) float16 of the domain's images of a subset."""
        rows = self.domain.images[subset].positions[images]
        return self.source.read(self.pretraining_seed, self.layer, subset, rows)
