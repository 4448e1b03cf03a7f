"""The files around a probe: arrays that fit the manifest go in, data/probes/<representation>/ comes out."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.food101.manifest import subset_rows
from stages.probing.domains import SUBSETS
from stages.probing.protocol import Findings
from stages.shared.errors import StageError
from stages.shared.outputs import open_array, whole_folder


def open_subsets(folder: str | Path, manifest: pd.DataFrame) -> dict[str, np.ndarray]:
    """Memory-map `probe.npy`, `validation.npy` and `test.npy` of a folder; no row is read yet.

    Raises:
        StageError: when a file is missing or broken, or has not one row for each of the manifest's.
    """
    arrays = {}
    for subset in SUBSETS:
        path = Path(folder) / f"{subset}.npy"
        arrays[subset] = open_array(path)
        expected = len(subset_rows(manifest, subset))
        if len(arrays[subset]) != expected:
            raise StageError(
                f"{path} has {len(arrays[subset])} rows, the manifest lists {expected} {subset} images: they "
                f"are of different runs. `dvc repro` makes them fit."
            )
    return arrays


def write_findings(folder: str | Path, findings: Findings) -> None:
    """Write predictions.csv, curves.csv and choices.csv; numbers with 6 significant digits."""
    with whole_folder(folder) as part:
        for name, table in findings._asdict().items():
            table.to_csv(part / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
