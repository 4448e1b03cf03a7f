"""The counted colours in data/colors: prior.csv and mean_ab.csv, written and read back."""

from pathlib import Path

import numpy as np

from stages.runtime.errors import StageError

COLORS = "data/colors"


def write_prior(path: str | Path, bins: np.ndarray, prior: np.ndarray) -> None:
    """Write a,b,prior: one row a bin of (Q, 2) centres, in their order, with the (Q,) share of pixels in it."""
    _write(path, "a,b,prior", np.column_stack((bins, prior)), ["%.9g"] * 3)


def read_prior(path: str | Path = f"{COLORS}/prior.csv") -> tuple[np.ndarray, np.ndarray]:
    """(Q, 2) float32 centres and (Q,) float64 shares.

    Raises:
        StageError: when the file is missing or has other columns.
    """
    rows = _read(path, "a,b,prior")
    return rows[:, :2].astype(np.float32), rows[:, 2]


def write_mean_ab(path: str | Path, pixels: np.ndarray, ab: np.ndarray) -> None:
    """Write lightness,pixels,a,b: one row for each lightness as 8 bits store it, of (256,) pixels and (256, 2) ab."""
    _write(path, "lightness,pixels,a,b", np.column_stack((range(256), pixels, ab)), ["%d", "%d", "%.9g", "%.9g"])


def read_mean_ab(path: str | Path = f"{COLORS}/mean_ab.csv") -> tuple[np.ndarray, np.ndarray]:
    """(256,) int64 pixels of each stored lightness and (256, 2) float64 their mean a and b.

    Raises:
        StageError: when the file is missing or has other columns, or not 256 rows.
    """
    rows = _read(path, "lightness,pixels,a,b", 256)
    return rows[:, 1].astype(np.int64), rows[:, 2:]


def _write(path: str | Path, header: str, rows: np.ndarray, formats: list[str]) -> None:
    np.savetxt(path, rows, fmt=formats, delimiter=",", header=header, comments="")


def _read(path: str | Path, header: str, length: int | None = None) -> np.ndarray:
    try:
        with Path(path).open(encoding="utf-8") as file:
            found = file.readline().strip()
            rows = np.loadtxt(file, delimiter=",", ndmin=2)
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except ValueError as error:
        raise StageError(f"{path} is not a table of numbers ({error}). Remove it and run `dvc repro`.") from None
    if found != header or len(rows) != (length or len(rows)) or not np.isfinite(rows).all():
        raise StageError(
            f"{path} needs the columns {header}{f' and {length} rows' if length else ''} of finite numbers; "
            f"got {found} and {len(rows)} rows. Remove it and run `dvc repro`."
        )
    return rows
