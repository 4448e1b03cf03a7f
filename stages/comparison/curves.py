"""The conv probes' learning curves, to be drawn in one chart."""

from pathlib import Path

import pandas as pd

from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS
from stages.probing.tables import CHOICES, CURVES
from stages.runtime.errors import StageError

SCORES = ["train_loss", "validation_loss", "validation_accuracy"]
RUN = ["domain", "layer", "head", "pretraining_seed"]


def chosen_curves(folder: str | Path, representations: list[ProbedRepresentation]) -> pd.DataFrame:
    """Learning curves on the primary endpoint's layer at the rate that was chosen on validation, as means over seeds.

    Args:
        folder: holds curves.csv and choices.csv of each representation, in a folder of its name.
        representations: as compared.

    Returns:
        Columns domain, representation, epoch and the three `SCORES`.

    Raises:
        StageError: when a file is missing, is no such table, or has no curve for a domain.
    """
    tables = []
    for representation in representations:
        place = Path(folder) / representation.name
        curves, choices = CURVES.read(place / "curves.csv"), CHOICES.read(place / "choices.csv")
        chosen = choices[(choices["setting"] == "learning_rate") & (choices["chosen"] == 1)]
        chosen = chosen.rename(columns={"value": "learning_rate"})[[*RUN, "learning_rate"]]
        curves = curves[curves["head"] == "conv"].merge(chosen, on=[*RUN, "learning_rate"])
        primary = {domain: layers.views["primary"] for domain, layers in representation.layers.items()}
        curves = curves[curves["layer"] == curves["domain"].map(primary)]
        means = curves.groupby(["domain", "epoch"], as_index=False)[SCORES].mean()
        if lacking := set(primary) - set(means["domain"]):
            raise StageError(
                f"{place}: no curve of the conv probe at its chosen rate for domain {', '.join(sorted(lacking))}. "
                f"Run `dvc repro`."
            )
        means.insert(1, "representation", representation.name)
        tables.append(means)
    return pd.concat(tables, ignore_index=True).sort_values(["domain", "representation", "epoch"]).round(DIGITS)
