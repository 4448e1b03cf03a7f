"""Arrays with one row per image of a subset, in the manifest's order: data/lab/<subset>.npy, data/latents/..."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.dataset.manifest import subset_rows
from stages.formats.npy import open_array
from stages.runtime.errors import StageError

if TYPE_CHECKING:
    from pandas import DataFrame


def open_subset(folder: str | Path, subset: str, manifest: DataFrame) -> np.ndarray:
    """Memory-map <folder>/<subset>.npy.

    Raises:
        StageError: when the file is missing or damaged, or its number of rows is not the manifest's.
    """
    return open_rows(Path(folder) / f"{subset}.npy", subset, manifest)


def open_rows(path: str | Path, subset: str, manifest: DataFrame) -> np.ndarray:
    """Memory-map a .npy file that has a row for each image of a subset.

    Raises:
        StageError: as `open_subset`.
    """
    array, expected = open_array(path), len(subset_rows(manifest, subset))
    if len(array) != expected:
        raise StageError(
            f"{path} has {len(array)} rows, the manifest lists {expected} {subset} images: they are of different runs. "
            f"`dvc repro` makes them fit."
        )
    return array


def open_lab8(subset: str, manifest: DataFrame | None = None) -> np.ndarray:
    """Memory-map data/lab/<subset>.npy, (N, 3, S, S) uint8, see `stages.color.lab.encode_lab8`.

    Args:
        manifest: if given, N must be the number of images of the subset in it.

    Raises:
        StageError: when the file is missing or damaged, has another shape or dtype, or another number of rows than the
            manifest.
    """
    path = f"data/lab/{subset}.npy"
    lab8 = open_array(path) if manifest is None else open_subset("data/lab", subset, manifest)
    if lab8.ndim != 4 or lab8.shape[1] != 3 or lab8.shape[2] != lab8.shape[3] or lab8.dtype != np.uint8:
        raise StageError(
            f"{path} must hold (N, 3, S, S) uint8; got {lab8.shape} {lab8.dtype}. Remove it and run `dvc repro`."
        )
    return lab8


@dataclass(frozen=True)
class SelectedRows:
    """Some rows of an array; NumPy would copy them, and the copy may not fit in memory.

    Attributes:
        array: (N, ...), such as a memory map.
        rows: (M,) int64 of 0..N-1.
    """

    array: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """A copy of some of the rows."""
        return self.array[self.rows[rows]]

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array of the rows would have it."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return math.prod(self.shape) * self.array.itemsize


@dataclass(frozen=True)
class SubstitutedRows:
    """An array with some rows replaced by rows of another; NumPy has no such view, and a copy may not fit in memory.

    Attributes:
        array: (N, ...), such as a memory map.
        others: (M, ...) of the same dtype, with rows of the same shape.
        source: (N,) int64, for each row of `array` the row of `others` that takes its place, or -1.
    """

    array: np.ndarray
    others: np.ndarray
    source: np.ndarray

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """A copy of some rows."""
        copy, source = np.array(self.array[rows]), self.source[rows]
        copy[source >= 0] = self.others[source[source >= 0]]
        return copy

    @property
    def shape(self) -> tuple[int, ...]:
        """As of `array`."""
        return self.array.shape

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return self.array.nbytes


def seed_folder(number: int) -> str:
    """The folder of a pretraining seed, relative to its encoder's; the first seed has none.

    >>> seed_folder(0), seed_folder(2)
    ('', 'seed_2')
    """
    return f"seed_{number}" if number else ""


def latents_folder(encoder: str, pretraining_seed: int, layer: str) -> Path:
    """The folder of a layer's arrays <subset>.npy: the encoder's for `latent`, a subfolder for other layers.

    >>> latents_folder("random", 0, "latent").as_posix(), latents_folder("random", 2, "mid").as_posix()
    ('data/latents/random', 'data/latents/random/seed_2/mid')
    """
    return Path("data/latents", encoder, seed_folder(pretraining_seed), "" if layer == "latent" else layer)
