"""The probes' results of each representation in params.yaml, checked to be of the same test images."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.comparison.few_shot import FewShot, read_few_shot, read_finetuned_shots
from stages.comparison.layers import Layers, read_layers
from stages.comparison.predictions import Predictions, Scores, read_finetuned_predictions, read_predictions
from stages.probing.tables import DEPTH_HEAD, FINETUNE, FINETUNED_LAYER, PIXELS_LAYER
from stages.runtime.errors import StageError
from stages.study.vocabulary import DOMAINS


@dataclass(frozen=True)
class Finetuned:
    """What fine-tuning made of a representation: `predictions` and `few_shot`, both by domain."""

    predictions: dict[str, Predictions]
    few_shot: dict[str, list[FewShot]]


@dataclass(frozen=True)
class ProbedRepresentation:
    """One representation's probe results.

    Attributes:
        name: as in probe.representations.
        kind: `pixels` or `encoder`.
        layers: by domain.
        predictions: by domain.
        few_shot: by domain and layer.
        finetuned: None where it was not fine-tuned.
    """

    name: str
    kind: str
    layers: dict[str, Layers]
    predictions: dict[str, Predictions]
    few_shot: dict[tuple[str, str], list[FewShot]]
    finetuned: Finetuned | None = None

    def views(self, domain: str, head: str = DEPTH_HEAD) -> dict[str, str]:
        """The layer of each view, of `stages.comparison.layers.VIEWS`; pixels have the first alone.

        All probes have the same. Fine-tuning has the first view, of the layer below its linear layer, and none where
        the representation was not fine-tuned.
        """
        if head == FINETUNE:
            return {"primary": FINETUNED_LAYER} if self.finetuned else {}
        return self.layers[domain].views

    def shown(self, domain: str, head: str) -> list[str]:
        """The layers of a head's views, each once."""
        return list(dict.fromkeys(self.views(domain, head).values()))

    def scores(self, domain: str, layer: str, head: str) -> Scores:
        """The scores of a head on one of its layers."""
        predictions = self.finetuned.predictions if head == FINETUNE else self.predictions
        return predictions[domain].scores[layer, head]

    def by_shots(self, domain: str, layer: str, head: str) -> list[FewShot]:
        """The right answers by labels a class, fewest first: of the ridge probe on a layer, or of fine-tuning."""
        return self.finetuned.few_shot[domain] if head == FINETUNE else self.few_shot[domain, layer]

    def probe_seeds(self, domain: str) -> set[tuple[str, int]]:
        """The number of seeds of each probe by its head; fine-tuning, which has other seeds, is not counted."""
        return {(head, scores.hit.shape[1]) for (_, head), scores in self.predictions[domain].scores.items()}


def read_representations(
    folder: str | Path,
    pixels: list[str],
    encoders: list[str],
    primary: str,
    depth_heads: list[str],
    finetuned: Collection[str] = (),
) -> list[ProbedRepresentation]:
    """Read <folder>/<representation>/ for each name, and for no other.

    Args:
        primary: the encoders' layer of the primary endpoint.
        depth_heads: those that every layer has: `probe.depth_heads`.
        finetuned: the names whose <folder>/finetune/<representation>/ is read, too.

    Raises:
        StageError: when a file is missing or broken, or representations did not predict the same images with the same
            labels and the same seeds.
    """
    representations = []
    for kind, names, layer in (("pixels", pixels, PIXELS_LAYER), ("encoder", encoders, primary)):
        for name in names:
            place = Path(folder) / name
            _check_exist("probe", name, place, place / "layers.csv", place / "predictions.csv")
            layers = read_layers(place / "layers.csv", layer)
            predictions = read_predictions(place / "predictions.csv", layers, depth_heads)
            few_shot = read_few_shot(place, layers, predictions)
            tuned = _read_finetuned(Path(folder) / "finetune" / name, predictions) if name in finetuned else None
            representations.append(ProbedRepresentation(name, kind, layers, predictions, few_shot, tuned))
            _check_same(representations[0], representations[-1])
    _check_pretraining_seeds(representations)
    _check_finetuning([representation for representation in representations if representation.finetuned])
    return representations


def _read_finetuned(place: Path, probed: dict[str, Predictions]) -> Finetuned:
    _check_exist("finetune", place.name, place, place / "predictions.csv")
    predictions = read_finetuned_predictions(place / "predictions.csv")
    for domain, tuned in predictions.items():
        if not _same_images(tuned, probed[domain]):
            raise StageError(
                f"{place} predicts other test images of domain '{domain}' than the probes of '{place.name}' do: they "
                f"cannot be paired. `dvc repro` makes both from the same split."
            )
    return Finetuned(predictions, read_finetuned_shots(place, predictions))


def _check_exist(group: str, name: str, *paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise StageError(
                f"{path} is missing, but {group}.representations lists '{name}'. `dvc repro` makes it, `dvc checkout` "
                f"brings it back."
            )


def _same_images(ours: Predictions, theirs: Predictions) -> bool:
    return np.array_equal(ours.images, theirs.images) and np.array_equal(ours.labels, theirs.labels)


def _check_finetuning(finetuned: list[ProbedRepresentation]) -> None:
    """All are fine-tuned on the same numbers of labels, with as many seeds and draws."""
    fits = {
        representation.name: [
            (domain, few.shots, few.hits.shape[:2])
            for domain, by_shots in representation.finetuned.few_shot.items()
            for few in by_shots
        ]
        for representation in finetuned
    }
    for name, fit in fits.items():
        if fit != (first := fits[finetuned[0].name]):
            raise StageError(
                f"'{name}' was not fine-tuned as '{finetuned[0].name}' was: its domains, labels a class and "
                f"(pretraining seeds, draws) are {fit}, not {first}. `dvc repro` makes them equal."
            )


def _check_same(first: ProbedRepresentation, other: ProbedRepresentation) -> None:
    for domain in DOMAINS:
        ours, theirs = first.predictions[domain], other.predictions[domain]
        if not _same_images(ours, theirs) or first.probe_seeds(domain) != other.probe_seeds(domain):
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
