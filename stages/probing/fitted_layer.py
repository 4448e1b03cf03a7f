"""The probes of one layer, and which layer of a domain is the best."""

import statistics
from dataclasses import dataclass, field

from stages.probing.few_shot import Draw
from stages.probing.head import FittedHead
from stages.probing.layer_features import LayerStats
from stages.probing.source import ProbeRun
from stages.probing.tables import DEPTH_HEAD


@dataclass
class FittedLayer:
    """The probes of one layer from one pretraining run in one domain.

    Attributes:
        heads: by id: those of `probe.depth_heads`, or all.
        cross_validated: accuracy of the ridge probe by cross-validation over probe and validation images, in [0, 1].
        few_shot: ridge probes fitted to few labels, where the layer has all heads.
    """

    run: ProbeRun
    stats: LayerStats
    heads: dict[str, FittedHead]
    cross_validated: float
    few_shot: list[Draw] = field(default_factory=list)


# The probes of one domain, by layer and pretraining seed.
FittedDomain = dict[tuple[str, int], FittedLayer]


def best_layer(fitted: FittedDomain) -> str:
    """The layer with the highest `cross_validated_accuracy`; of equals the first."""
    layers = dict.fromkeys(layer for layer, _ in fitted)
    return max(layers, key=lambda layer: cross_validated_accuracy(fitted, layer))


def cross_validated_accuracy(fitted: FittedDomain, layer: str) -> float:
    """Accuracy by cross-validation over probe and validation images, in [0, 1]; mean over pretraining seeds."""
    return statistics.fmean(probes.cross_validated for (name, _), probes in fitted.items() if name == layer)


def validation_accuracy(fitted: FittedDomain, layer: str) -> float:
    """Validation accuracy of the ridge probe, in [0, 1]; mean over pretraining seeds."""
    heads = [probes.heads[DEPTH_HEAD] for (name, _), probes in fitted.items() if name == layer]
    return statistics.fmean(head.trials[head.selected].accuracy for head in heads)
