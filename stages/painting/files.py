"""data/quality/<painter>/: scores.csv, a row a test image, and auc.csv, the curves of raw accuracy."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.runtime.errors import StageError

SCORES = [
    "psnr",
    "ssim",
    "lpips",
    "ab_rmse",
    "auc",
    "auc_rebalanced",
    "colorfulness_true",
    "colorfulness_painted",
    "probe_correct_true",
    "probe_correct_painted",
    "a_painted",
    "b_painted",
    "spread_painted",
]
CURVES = ["threshold", "accuracy", "accuracy_rebalanced"]


class QualityTables(NamedTuple):
    """Both files of a painter.

    Attributes:
        scores: image, domain and `SCORES` (see `stages.painting.quality.Quality`) of each test image.
        curves: domain and `CURVES`, thresholds 0..150 of each domain; shares of all its test images' pixels.
    """

    scores: pd.DataFrame
    curves: pd.DataFrame


def write_quality(folder: str | Path, tables: QualityTables) -> None:
    """Write scores.csv and auc.csv into `folder`, which is made; numbers with 6 significant digits."""
    Path(folder).mkdir(exist_ok=True)
    for name, table in zip(("scores", "auc"), tables, strict=True):
        table.to_csv(Path(folder, f"{name}.csv"), index=False, float_format="%.6g", lineterminator="\n")


def read_quality(folder: str | Path) -> QualityTables:
    """Read and check a painter's tables.

    Raises:
        StageError: naming the file that is missing, has other columns or no row of a domain, or the column and image
            where a number is not finite.
    """
    scores = _read(Path(folder, "scores.csv"), ["image", "domain", *SCORES], "image")
    curves = _read(Path(folder, "auc.csv"), ["domain", *CURVES], "threshold")
    for name, table in (("scores", scores), ("auc", curves)):
        if missing := {"in", "out"} - set(table["domain"]):
            raise StageError(f"{Path(folder, name)}.csv has no rows of domain '{min(missing)}'. Run `dvc repro`.")
    return QualityTables(scores, curves)


def _read(path: Path, columns: list[str], key: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"image": str, "domain": str}, keep_default_na=False, na_values=["", "nan"])
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise StageError(f"{path} is not a CSV file: {str(error).strip()}") from None
    if list(table.columns) != columns:
        raise StageError(f"{path} needs the columns {','.join(columns)}; got {','.join(map(str, table))}")
    for column in columns:
        if column in ("image", "domain"):
            continue
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(float)
        if not np.isfinite(values).all():
            row = table.iloc[int((~np.isfinite(values)).argmax())]
            raise StageError(
                f"{path}: {column} of {key} {row[key]} is '{row[column]}', where a finite number is needed. A painter "
                f"whose training diverged does this: lower train.learning_rate and rerun."
            )
    return table
