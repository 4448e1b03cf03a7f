"""Memory-mapped .npy files."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stages.runtime.errors import StageError
from stages.runtime.files import require_space, whole_file


@contextmanager
def memory_mapped(path: str | Path, shape: tuple[int, ...], dtype: str) -> Iterator[np.ndarray]:
    """Yield an array of `shape` and `dtype`, memory-mapped to the .npy file that is being written to `path`.

    The disk space is allocated before the block: a write to a mapped page on a full disk is a SIGBUS, no exception.

    Raises:
        StageError: when the disk has too little space.
    """
    with whole_file(path) as part:
        require_space(part.parent, math.prod(shape) * np.dtype(dtype).itemsize)
        array = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
        with part.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, part.stat().st_size)
        yield array
        array.flush()
        del array


def open_array(path: str | Path) -> np.ndarray:
    """Memory-map a .npy file, read-only.

    Raises:
        StageError: when the file is missing, damaged or no .npy file.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except (ValueError, EOFError, OSError) as error:
        raise StageError(
            f"{path} is not a whole .npy array ({error}). Remove it and run `dvc checkout` or `dvc repro`."
        ) from None
