"""The files around a probe: arrays that fit the manifest go in, data/probes/<representation>/ comes out."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.dataset.arrays import open_subset
from stages.dataset.manifest import VIEW_COUNTS
from stages.probing.results import Findings

TABLES = ("predictions", "curves", "choices", "layers", "few_shot")


def open_subsets(folder: str | Path, manifest: pd.DataFrame) -> dict[str, np.ndarray]:
    """Memory-map `probe.npy`, `validation.npy` and `test.npy` of a folder; no row is read yet.

    Raises:
        StageError: when a file is missing or broken, or has not one row for each of the manifest's.
    """
    return {subset: open_subset(folder, subset, manifest) for subset in VIEW_COUNTS}


def write_findings(folder: Path, findings: Findings) -> None:
    """Write the tables as CSV, numbers with 6 significant digits, and few_shot/<domain>-<layer>.npy.

    `folder` must be there. Rows of an array are those of its domain and layer in few_shot.csv, its columns the
    domain's test images in the order of predictions.csv.
    """
    for name in TABLES:
        table = getattr(findings, name)
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    (folder / "few_shot").mkdir()
    for (domain, layer), hits in findings.hits.items():
        np.save(folder / "few_shot" / f"{domain}-{layer}.npy", hits)
