"""The probes' results of each representation in params.yaml, checked to be of the same test images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.comparison.few_shot import FewShot, read_few_shot
from stages.comparison.layers import Layers, read_layers
from stages.comparison.predictions import Predictions, read_predictions
from stages.probing.tables import PIXELS_LAYER
from stages.runtime.errors import StageError
from stages.study.vocabulary import DOMAINS


@dataclass(frozen=True)
class ProbedRepresentation:
    """One representation's probe results.

    Attributes:
        name: as in probe.representations.
        kind: `pixels` or `encoder`.
        layers: by domain.
        predictions: by domain.
        few_shot: by domain and layer.
    """

    name: str
    kind: str
    layers: dict[str, Layers]
    predictions: dict[str, Predictions]
    few_shot: dict[tuple[str, str], list[FewShot]]

    def views(self, domain: str) -> dict[str, str]:
        """The layer of each view, of `stages.comparison.layers.VIEWS`; pixels have the first alone."""
        return self.layers[domain].views

    def probe_seeds(self, domain: str) -> set[tuple[str, int]]:
        """How many seeds each head was fitted with."""
        return {(head, scores.hit.shape[1]) for (_, head), scores in self.predictions[domain].scores.items()}


def read_representations(
    folder: str | Path, pixels: list[str], encoders: list[str], primary: str, depth_heads: list[str]
) -> list[ProbedRepresentation]:
    """Read <folder>/<representation>/ for each name, and for no other.

    Args:
        primary: the encoders' layer of the primary endpoint.
        depth_heads: those that every layer has: `probe.depth_heads`.

    Raises:
        StageError: when a file is missing or broken, or representations did not predict the same images with the same
            labels and the same seeds.
    """
    representations = []
    for kind, names, layer in (("pixels", pixels, PIXELS_LAYER), ("encoder", encoders, primary)):
        for name in names:
            place = Path(folder) / name
            for path in (place, place / "layers.csv", place / "predictions.csv"):
                if not path.exists():
                    raise StageError(
                        f"{path} is missing, but probe.representations lists '{name}'. `dvc repro` makes it, "
                        f"`dvc checkout` brings it back."
                    )
            layers = read_layers(place / "layers.csv", layer)
            predictions = read_predictions(place / "predictions.csv", layers, depth_heads)
            few_shot = read_few_shot(place, layers, predictions)
            representations.append(ProbedRepresentation(name, kind, layers, predictions, few_shot))
            _check_same(representations[0], representations[-1])
    _check_pretraining_seeds(representations)
    return representations


def _check_same(first: ProbedRepresentation, other: ProbedRepresentation) -> None:
    for domain in DOMAINS:
        ours, theirs = first.predictions[domain], other.predictions[domain]
        same = np.array_equal(ours.images, theirs.images) and np.array_equal(ours.labels, theirs.labels)
        if not same or first.probe_seeds(domain) != other.probe_seeds(domain):
            raise StageError(
                f"'{other.name}' and '{first.name}' did not predict the same images of domain '{domain}' with the same "
                f"labels and seeds ({len(theirs.images)} and {len(ours.images)} images): they cannot be paired. "
                f"`dvc repro` makes both from the same split."
            )


def _check_pretraining_seeds(representations: list[ProbedRepresentation]) -> None:
    """Pixels have no pretraining, and encoders are all trained equally often."""
    expected = {"pixels": 1}
    for representation in representations:
        counts = {
            scores.hit.shape[0] for test in representation.predictions.values() for scores in test.scores.values()
        }
        counts |= {few.hits.shape[0] for table in representation.few_shot.values() for few in table}
        if counts != {expected.setdefault(representation.kind, max(counts))}:
            raise StageError(
                f"'{representation.name}' was probed for {', '.join(map(str, sorted(counts)))} pretraining seeds, "
                f"others for {expected[representation.kind]}. `dvc repro` makes them equal."
            )
