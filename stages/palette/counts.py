"""The counted colours in data/colors, prior.csv, mean_ab.csv and joint.npy: their writers and readers.

By NumPy, without `stages.formats.csv`: `train_autoencoder` depends on this room.
"""

from pathlib import Path

import numpy as np

from stages.formats.npy import open_array
from stages.runtime.errors import StageError

COLORS = "data/colors"
PRIOR_COLUMNS = "a,b,prior"
MEAN_AB_COLUMNS = "lightness,pixels,a,b"


def write_prior(path: str | Path, bins: np.ndarray, prior: np.ndarray) -> None:
    """Write the (Q, 2) centres of the bins and the (Q,) shares of pixels in them, one row a bin."""
    _write(path, PRIOR_COLUMNS, np.column_stack((bins, prior)), ["%.9g"] * 3)


def read_prior(path: str | Path = f"{COLORS}/prior.csv") -> tuple[np.ndarray, np.ndarray]:
    """Read the (Q, 2) float32 centres of the bins and the (Q,) float64 shares of pixels in them.

    Raises:
        StageError: when the file is missing or has other columns.
    """
    rows = _read(path, PRIOR_COLUMNS)
    return rows[:, :2].astype(np.float32), rows[:, 2]


def write_mean_ab(path: str | Path, pixels: np.ndarray, ab: np.ndarray) -> None:
    """Write the (256,) pixels of each stored lightness and (256, 2) their mean a and b, one row a lightness."""
    _write(path, MEAN_AB_COLUMNS, np.column_stack((range(256), pixels, ab)), ["%d", "%d", "%.9g", "%.9g"])


def read_mean_ab(path: str | Path = f"{COLORS}/mean_ab.csv") -> tuple[np.ndarray, np.ndarray]:
    """Read the (256,) int64 pixels of each stored lightness and (256, 2) float64 their mean a and b.

    Raises:
        StageError: when the file is missing or has other columns, or not 256 rows.
    """
    rows = _read(path, MEAN_AB_COLUMNS, 256)
    return rows[:, 1].astype(np.int64), rows[:, 2:]


def write_joint(path: str | Path, counts: np.ndarray) -> None:
    """Write the (strides, 256, Q) int64 of `stages.palette.prior.lightness_ab_counts`."""
    np.save(path, counts)


def read_joint(stride: int, path: str | Path = f"{COLORS}/joint.npy") -> np.ndarray:
    """Read how often each stored lightness and each bin occur together at a stride: (256, Q) int64.

    Raises:
        StageError: when the file is missing, damaged or lacks that stride.
    """
    counts, number = open_array(path), stride.bit_length() - 1
    if counts.ndim != 3 or counts.shape[1] != 256 or counts.dtype != np.int64 or number >= len(counts):
        raise StageError(
            f"{path} must hold (strides, 256, bins) int64, with a stride of {stride} pixels; got {counts.shape} "
            f"{counts.dtype}. Remove it and run `dvc repro`."
        )
    return np.array(counts[number])


def _write(path: str | Path, columns: str, rows: np.ndarray, formats: list[str]) -> None:
    np.savetxt(path, rows, fmt=formats, delimiter=",", header=columns, comments="")


def _read(path: str | Path, columns: str, length: int | None = None) -> np.ndarray:
    try:
        with Path(path).open(encoding="utf-8") as file:
            header = file.readline().strip()
            rows = np.loadtxt(file, delimiter=",", ndmin=2)
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except ValueError as error:
        raise StageError(f"{path} is not a table of numbers ({error}). Remove it and run `dvc repro`.") from None
    if header != columns or len(rows) != (length or len(rows)) or not np.isfinite(rows).all():
        raise StageError(
            f"{path} needs the columns {columns}{f' and {length} rows' if length else ''} of finite numbers; "
            f"got {header} and {len(rows)} rows. Remove it and run `dvc repro`."
        )
    return rows
