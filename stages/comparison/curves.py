"""The conv probes' learning curves, to be drawn in one chart."""

from pathlib import Path

import pandas as pd

from stages.shared.errors import StageError

SCORES = ["train_loss", "validation_loss", "validation_accuracy"]
DIGITS = 6


def chosen_curves(folder: str | Path, representations: list[str]) -> pd.DataFrame:
    """Learning curves at the rate that was chosen on validation, as means over seeds.

    Args:
        folder: holds curves.csv and choices.csv of each representation, in a folder of its name.

    Returns:
        Columns domain, representation, epoch and the three `SCORES`.

    Raises:
        StageError: when a file is missing or lacks a column.
    """
    tables = []
    for name in representations:
        place = Path(folder) / name
        try:
            curves, choices = pd.read_csv(place / "curves.csv"), pd.read_csv(place / "choices.csv")
            chosen = choices[(choices["setting"] == "learning_rate") & (choices["chosen"] == 1)]
            rates = chosen.set_index("domain")["value"]
            own = curves[curves["learning_rate"] == curves["domain"].map(rates)]
            means = own.groupby(["domain", "epoch"], as_index=False)[SCORES].mean()
        except FileNotFoundError as error:
            raise StageError(f"{error.filename} is missing. `dvc repro` makes it.") from None
        except (KeyError, ValueError) as error:
            raise StageError(f"{place} does not hold the tables of a probe ({error}). Run `dvc repro`.") from None
        means.insert(1, "representation", name)
        tables.append(means)
    return pd.concat(tables, ignore_index=True).sort_values(["domain", "representation", "epoch"]).round(DIGITS)
