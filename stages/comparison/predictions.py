"""Every representation's test predictions, read from data/probes/ and checked to be of the same images."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.shared.errors import StageError

COLUMNS = ["domain", "head", "seed", "image", "label", "predicted", "top5", "loss"]


class Scores(NamedTuple):
    """Scores of one head on one domain: three float64 arrays (seeds, N), images in the order of the names."""

    hit: np.ndarray
    top_5: np.ndarray
    loss: np.ndarray


def read_predictions(folder: str | Path, representations: list[str]) -> dict[str, pd.DataFrame]:
    """Read <folder>/<representation>/predictions.csv for each name, and for no other.

    Returns:
        A table a representation, sorted by domain, head, seed and image. The columns that name images are
        the same in all of them.

    Raises:
        StageError: when a file is missing, is no table of predictions, holds a loss that is not finite, lists
            an image twice, or is of other images, labels or seeds than the first representation's.
    """
    tables: dict[str, pd.DataFrame] = {}
    first = None
    for name in representations:
        tables[name] = _read(Path(folder) / name / "predictions.csv", name)
        keys = tables[name][COLUMNS[:5]]
        first = keys if first is None else first
        if not keys.equals(first):
            raise StageError(
                f"'{name}' and '{representations[0]}' did not predict the same images with the same labels, "
                f"heads and seeds ({len(keys)} and {len(first)} predictions): they cannot be paired. "
                f"`dvc repro` makes both from the same split."
            )
    return tables


def scores_of(table: pd.DataFrame, domain: str, head: str) -> Scores:
    """The scores of a head on a domain, from a table of `read_predictions`."""
    own = table[(table["domain"] == domain) & (table["head"] == head)]
    seeds = own["seed"].nunique()
    columns = own["label"] == own["predicted"], own["top5"], own["loss"]
    return Scores(*(column.to_numpy(np.float64).reshape(seeds, -1) for column in columns))


def _read(path: Path, name: str) -> pd.DataFrame:
    text = dict.fromkeys(["domain", "head", "image", "label", "predicted"], str)
    numbers = {"seed": np.int64, "top5": np.int64, "loss": np.float64}
    try:
        # A class may be called `nan` or `null`: only numbers may be missing, and they may not.
        table = pd.read_csv(path, dtype=text | numbers, keep_default_na=False)
    except FileNotFoundError:
        raise StageError(
            f"{path} is missing, but probe.representations lists '{name}'. `dvc repro` makes it, "
            f"`dvc checkout` brings it back."
        ) from None
    except (ValueError, pd.errors.ParserError) as error:
        raise StageError(f"{path} is not a table of predictions: {str(error).strip()}") from None
    if list(table.columns) != COLUMNS or table.empty:
        raise StageError(f"{path} must have the columns {','.join(COLUMNS)} and rows; got {','.join(table)}")
    if not np.isfinite(table["loss"]).all():
        raise StageError(f"{path} holds losses that are not finite: a probe diverged. Lower probe.learning_rates.")
    found = set(zip(table["domain"], table["head"], strict=True))
    if found != (expected := {(domain, head) for domain in ("in", "out") for head in ("conv", "linear")}):
        problem = f"{path} must hold predictions of both heads on both domains and no others"
        raise StageError(f"{problem}; found {sorted(found)}, expected {sorted(expected)}. Run `dvc repro`.")
    order = ["domain", "head", "seed", "image"]
    if table.duplicated(order).any():
        raise StageError(f"{path} predicts an image twice. Remove it and run `dvc repro`.")
    table = table.sort_values(order, ignore_index=True)
    for (domain, head), group in table.groupby(["domain", "head"]):
        images = [tuple(own) for _, own in group.groupby("seed")["image"]]
        if len(set(images)) > 1:
            raise StageError(f"{path}: seeds of {domain}, {head} do not predict the same images. Run `dvc repro`.")
    return table
