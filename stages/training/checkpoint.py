"""A training run's state on disk, in a file named by the hash of the run's inputs."""

import contextlib
import fcntl
import itertools
import math
import os
import pickle
import time
import zipfile
from pathlib import Path
from typing import BinaryIO

import torch

from stages.runtime.errors import StageError
from stages.runtime.files import whole_file
from stages.runtime.interrupts import defer_interrupts
from stages.training.checkpoint_key import local_state
from stages.training.distributed import Processes


class Checkpoint:
    """The newest state of the run with this key, in at most one file.

    Experiments with the same inputs that run side by side have a slot each, and so a file each.

    Args:
        folder: of all checkpoints, outside DVC's outputs.
        key: hash of the run's inputs; a run with other inputs never reads this file.
        slot: None: claim a free one, until the process ends. A number: the slot that another process of this run
            holds; this one then reads only.
    """

    def __init__(self, folder: Path, key: str, slot: int | None = None):
        self._folder, self._key, self._lock = folder, key, None
        if slot is None:
            slot, self._lock = _claim(folder, key)
        self.slot, self.path = slot, _state(folder, key, slot)
        self.diverged = self.path.with_suffix(".diverged.json")  # the images of a step that was not finite
        self.interval = _interval()
        self._saved = time.monotonic()

    @property
    def is_owner(self) -> bool:
        """Whether this process holds the slot."""
        return self._lock is not None

    def due(self) -> bool:
        """Whether the last one is older than STAGES_CHECKPOINT_SECONDS (120)."""
        return time.monotonic() - self._saved >= self.interval

    def save(self, state: dict) -> None:
        """Write a state of tensors, numbers, strings, lists and dicts; an interruption waits for the end.

        Does nothing where another process holds the slot.
        """
        if not self.is_owner:
            return
        # Through a Python file: torch's own writer does not report a full disk.
        with defer_interrupts(), whole_file(self.path) as part, part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # else a power cut after the renaming leaves an empty file
        self._saved = time.monotonic()

    def load(self) -> dict | None:
        """The newest state, or None where there is none or the file cannot be read whole."""
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except (RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile):
            print(f"{self.path} cannot be read and is ignored: training starts over")
            return None

    def remove(self) -> None:
        """Forget the run, and what a save that was killed left of it: it is done."""
        for path in (self.path, self.diverged, *self.path.parent.glob(f".{self.path.name}.*.part")):
            path.unlink(missing_ok=True)
        # What an experiment beside this one left when it was given up: the result is there, so nobody needs it.
        for slot in _saved(self._folder, self._key):
            if (lock := _claimed(self._folder, self._key, slot)) is not None:
                _state(self._folder, self._key, slot).unlink(missing_ok=True)
                _release(lock)
        if self._lock:
            _release(self._lock)


def shared_checkpoint(key: str, processes: Processes) -> Checkpoint:
    """The main process's checkpoint in $DVC_ROOT/.dvc/tmp/checkpoints, in all processes that train together."""
    folder = local_state("checkpoints")
    owned = Checkpoint(folder, key) if processes.is_main else None
    slot = processes.broadcast(owned.slot if owned else 0)
    return owned or Checkpoint(folder, key, slot)


def _state(folder: Path, key: str, slot: int) -> Path:
    return folder / (f"{key}.{slot}.pt" if slot else f"{key}.pt")


def _saved(folder: Path, key: str) -> list[int]:
    """The slots that have a state, the newest first."""
    paths = {_state(folder, key, 0): 0} | {path: int(path.name.split(".")[-2]) for path in folder.glob(f"{key}.*.pt")}
    times = {}
    for path, slot in paths.items():
        with contextlib.suppress(FileNotFoundError):  # none, or its owner is done
            times[slot] = path.stat().st_mtime
    return sorted(times, key=times.get, reverse=True)


def _claim(folder: Path, key: str) -> tuple[int, BinaryIO]:
    """A slot that nobody holds, and its lock, which ends with it or with the process.

    The one with the newest state, to go on with; where none has a state, the first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for slot in itertools.chain(_saved(folder, key), itertools.count()):
        if (lock := _claimed(folder, key, slot)) is not None:
            return slot, lock


def _claimed(folder: Path, key: str, slot: int) -> BinaryIO | None:
    """The slot's lock file, locked; None where another process holds it.

    Raises:
        StageError: where the file system has no locks.
    """
    path = folder / f"{key}.{slot}.lock"
    while True:
        file = path.open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        except OSError as error:
            raise StageError(
                f"{path} cannot be locked ({error.strerror}): put the repository on a file system with locks, or mount "
                f"this one with them (Lustre: -o flock)."
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its owner has removed it meanwhile


def _release(lock: BinaryIO) -> None:
    Path(lock.name).unlink(missing_ok=True)
    lock.close()


def _interval() -> float:
    given = os.environ.get("STAGES_CHECKPOINT_SECONDS", "120")
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise StageError(f"STAGES_CHECKPOINT_SECONDS must be a number of seconds, at least 0; got '{given}'")
    return seconds
