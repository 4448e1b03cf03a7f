"""The results of fine-tuning, as files."""

from pathlib import Path

import numpy as np

from stages.finetuning.protocol import FinetuneResults
from stages.probing.tables import CHOICES, FINETUNED_LAYER, FINETUNED_SHOTS, PREDICTIONS


def write_results(folder: Path, results: FinetuneResults) -> None:
    """Write the tables, and few_shot/<domain>-<layer>.npy, into `folder`, which must exist.

    Rows of an array are its domain's in few_shot.csv, its columns the domain's test images in the order of
    predictions.csv.
    """
    PREDICTIONS.write(folder / "predictions.csv", results.predictions)
    # A fit that diverged has no loss: an empty cell.
    CHOICES.write(folder / "choices.csv", results.choices.replace([np.inf, -np.inf], np.nan))
    FINETUNED_SHOTS.write(folder / "few_shot.csv", results.few_shot)
    (folder / "few_shot").mkdir()
    for domain, hits in results.hits.items():
        np.save(folder / "few_shot" / f"{domain}-{FINETUNED_LAYER}.npy", hits)
