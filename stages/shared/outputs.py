"""Outputs that are whole or not there: each is written beside its place and renamed into it.

Bytes depend on the content alone, never on time, host or dictionary order.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stages.shared.errors import StageError


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; move it to `path` if the block succeeds.

    The folder is made where it is missing. If the block raises, the temporary file is removed and
    `path` is left as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary empty folder beside `path`; move it to `path` if the block succeeds.

    What stood at `path` is replaced. If the block raises, the temporary folder is removed and `path`
    is left as it was.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed and had the same number
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: str | Path, value) -> None:
    """Write `value` as JSON with sorted keys and finite numbers only.

    Raises:
        ValueError: for NaN or infinity, which `dvc metrics diff` would pass through.
    """
    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


@contextmanager
def memory_mapped(path: str | Path, shape: tuple[int, ...], dtype: str) -> Iterator[np.ndarray]:
    """Yield an array of `shape` and `dtype` that lies in the .npy file being written to `path`."""
    with whole_file(path) as part:
        array = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
        yield array
        array.flush()
        del array


def open_array(path: str | Path) -> np.ndarray:
    """Memory-map a .npy file, read-only.

    Raises:
        StageError: when the file is missing or is not a whole .npy file.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except (ValueError, EOFError, OSError) as error:
        raise StageError(
            f"{path} is not a whole .npy array ({error}). Remove it and run `dvc checkout` or `dvc repro`."
        ) from None
