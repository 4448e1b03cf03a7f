"""One layer of one encoder in one domain: what its probes share, and the rows that they leave."""

from dataclasses import dataclass

from tqdm import tqdm

from stages.classifiers.domains import Domain
from stages.probing.conv import Epoch
from stages.probing.selection import Trial, choose
from stages.runtime.schema import Probe

KEYS = {"learning_rate": "learning_rates", "c": "linear_c", "k": "knn_k", "alpha": "ridge_alphas"}


@dataclass(frozen=True)
class Task:
    """What the probes of a layer share.

    Attributes:
        limit: features a map is pooled to for the ridge probe, at most.
        seed: (seed of the study, index of the domain).
        curves, choices: rows of the tables, appended to.
        bar: counts fits.
    """

    domain: Domain
    layer: str
    pretraining_seed: int
    settings: Probe
    limit: int
    seed: tuple[int, int]
    curves: list[dict]
    choices: list[dict]
    bar: tqdm

    @property
    def classes(self) -> int:
        return len(self.domain.classes)

    def chosen(self, head: str, setting: str, trials: list[Trial]) -> Trial:
        """The best of the trials, which all become rows of the choices."""
        best = choose(trials, KEYS[setting])
        self.choices.extend(
            self._row(head)
            | {
                "setting": setting,
                "value": trial.value,
                "validation_accuracy": trial.accuracy,
                "validation_loss": trial.loss,
                "chosen": int(trial is best),
            }
            for trial in trials
        )
        return best

    def add_curve(self, head: str, seed: int, learning_rate: float, curve: list[Epoch]) -> None:
        """Append the epochs of a fit to the curves."""
        row = self._row(head) | {"seed": seed, "learning_rate": learning_rate}
        self.curves.extend(row | epoch._asdict() for epoch in curve)

    def _row(self, head: str) -> dict:
        place = {"layer": self.layer, "head": head, "pretraining_seed": self.pretraining_seed}
        return {"domain": self.domain.name} | place
