"""Trainings that are held within a step until the test releases them."""

import os
import subprocess
from pathlib import Path

from tests.waiting import wait_until

HOOK = Path(__file__).parent / "holding"


class Hold:
    """Holds every training that is started with `environment` in its step `step`, counted from 1.

    Of several processes that share a training, the first is held, and the others wait for it.
    """

    def __init__(self, folder: Path, step: int):
        self._folder = folder
        folder.mkdir()
        path = os.pathsep.join(filter(None, [str(HOOK), os.environ.get("PYTHONPATH")]))
        self.environment = {"PYTHONPATH": path, "TESTS_HOLD": str(folder), "TESTS_HOLD_STEP": str(step)}

    def wait(self, *processes: subprocess.Popen) -> None:
        """Wait until as many trainings as `processes` are held."""
        wait_until(lambda: len(self.signals()) == len(processes), *processes)

    def signals(self) -> list[int]:
        """How many signals each training that is held has handled."""
        return [int(marker.read_text()) for marker in self._markers()]

    def release(self) -> None:
        """Let the trainings continue."""
        for marker in self._markers():
            marker.unlink()

    def _markers(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.suffix != ".part"]
