"""Atomic outputs: written to a temporary path beside the final one, and renamed when they are complete."""

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
LONGEST_NAME = 255  # bytes, on the file systems of Linux
BLOCK = 512  # st_blocks counts units of 512 bytes, whatever the block size of the disk is


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
    """Yield a temporary path in the folder of `path`, and rename it to `path` when the block has succeeded.

    The folder is created if it is missing. If the block raises, the temporary file is removed and `path` stays as it
    was.

    Raises:
        StageError: when the disk is full; with the bytes that are free.
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
    """Yield an empty temporary folder beside `path`, and rename it to `path` when the block has succeeded.

    An existing folder at `path` is replaced. If the block raises, the temporary folder is removed and `path` stays as
    it was.

    Raises:
        StageError: when the disk is full; with the bytes that are free.
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
    """This process's temporary path for `path`. Leftovers of killed processes are removed."""
    name = _short(path.name)
    for leftover in path.parent.glob(f".{glob.escape(name)}.*.part"):
        pid = leftover.name.split(".")[-2]
        if pid == str(os.getpid()) or not (pid.isdecimal() and psutil.pid_exists(int(pid))):
            shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
    return path.with_name(f".{name}.{os.getpid()}.part")


def _short(name: str) -> str:
    """The name, cut where it leaves no room for the process's number and `.part`."""
    return os.fsdecode(os.fsencode(name)[: LONGEST_NAME - len("..4194304.part")])


@contextmanager
def _explain_disk_full(path: Path, temporary: Path) -> Iterator[None]:
    """Turn the error of a full disk into a StageError. What lies at `temporary` counts as free: it will be removed."""
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
    """Free bytes on the disk of `path`, which need not exist yet."""
    existing = Path(path).absolute()
    while not existing.exists():
        existing = existing.parent
    return shutil.disk_usage(existing).free


def is_full(error: BaseException | None) -> bool:
    """Whether an error or one of its causes is a full disk. Safetensors and torch wrap the system's error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            return True
        if any(os.strerror(number) in str(error) for number in NO_SPACE):
            return True
        error = error.__cause__ or error.__context__
    return False
