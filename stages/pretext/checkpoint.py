"""A training run's state on disk, found again by the hash of the run's inputs."""

import math
import os
import pickle
import time
import zipfile
from pathlib import Path

import torch

from stages.shared.errors import StageError
from stages.shared.interruption import postponed
from stages.shared.outputs import whole_file


class Checkpoint:
    """At most one file: the newest state of the run with this key.

    Args:
        folder: where checkpoints lie, outside DVC's outputs.
        key: hash of the run's inputs; a run with other inputs never sees this file.
    """

    def __init__(self, folder: Path, key: str):
        self.path = folder / f"{key}.pt"
        self.interval = _interval()
        self._saved = time.monotonic()

    def due(self) -> bool:
        """Whether the last one is older than STAGES_CHECKPOINT_SECONDS (120)."""
        return time.monotonic() - self._saved >= self.interval

    def save(self, state: dict) -> None:
        """Write a state of tensors, numbers, strings, lists and dicts; an interruption waits for the end."""
        with postponed(), whole_file(self.path) as part:
            torch.save(state, part)
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
        for path in (self.path, *self.path.parent.glob(f".{self.path.name}.*.part")):
            path.unlink(missing_ok=True)


def _interval() -> float:
    given = os.environ.get("STAGES_CHECKPOINT_SECONDS", "120")
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise StageError(f"STAGES_CHECKPOINT_SECONDS must be a number of seconds, at least 0; got '{given}'")
    return seconds
