"""Outputs that are whole or not there: each is written beside its place and renamed into it.

Bytes depend on the content alone, never on time, host or dictionary order.
"""

import errno
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from stages.runtime.errors import StageError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
BLOCK = 512  # bytes of a unit of st_blocks, whatever the disk's own blocks are


def require_space(folder: str | Path, needed: int) -> None:
    """Raise StageError unless the disk of `folder` has `needed` bytes free."""
    free = free_bytes(folder)
    if free < needed:
        raise StageError(
            f"the disk of {folder} is too small: {needed:,} bytes needed, {free:,} free. Make room, then run "
            "`dvc repro` again, or lower the need with fewer images (data.images_per_class, data.url)."
        )


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; move it to `path` if the block succeeds.

    The folder is made where it is missing. If the block raises, the temporary file is removed and
    `path` is left as it was.

    Raises:
        StageError: when the disk is full, with what was needed and what is free.
    """
    path = Path(path)
    temporary = _temporary(path)
    try:
        with _explain_disk_full(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary empty folder beside `path`; move it to `path` if the block succeeds.

    What stood at `path` is replaced. If the block raises, the temporary folder is removed and `path`
    is left as it was.

    Raises:
        StageError: when the disk is full, with what was needed and what is free.
    """
    path = Path(path)
    temporary = _temporary(path)
    try:
        with _explain_disk_full(path, temporary):
            temporary.mkdir(parents=True)
            yield temporary
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """A place beside `path` for what this process writes; what processes that were killed left there is removed."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        process = left.name.split(".")[-2]
        if process == str(os.getpid()) or not (process.isdecimal() and psutil.pid_exists(int(process))):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def _explain_disk_full(path: Path, temporary: Path) -> Iterator[None]:
    try:
        yield
    except StageError:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        written = [temporary, *temporary.rglob("*")] if temporary.is_dir() else [temporary]
        free = free_bytes(path) + sum(BLOCK * file.stat().st_blocks for file in written if file.is_file())
        raise StageError(
            f"{path} does not fit on its disk: it needs more than the {free:,} bytes that are free. Make room, then "
            f"run `dvc repro` again."
        ) from None


def free_bytes(path: str | Path) -> int:
    """Of the disk where `path` lies or is to lie."""
    place = Path(path).absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is that of a full disk: safetensors and torch wrap the system's."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            return True
        if any(os.strerror(number) in str(error) for number in NO_SPACE):
            return True
        error = error.__cause__ or error.__context__
    return False
