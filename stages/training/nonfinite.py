"""Detects the first training step with a non-finite loss or gradient, and reports the images of its batch."""

import json

import numpy as np
import torch

from stages.runtime.errors import StageError
from stages.runtime.files import whole_file
from stages.training.batches import BatchSampler
from stages.training.checkpoint import Checkpoint

IMAGES_SHOWN = 5  # named in the message; the file has them all


class NonFiniteMonitor:
    """Checks every step on the device. Reading the result synchronises a GPU, so do it rarely.

    Args:
        device: of the losses.
        sampler: which images a step had.
        names: of the images, "class/id", or None: then they are rows.
        steps: of the whole training, for the message.
        checkpoint: beside which the images of the step are written.
    """

    def __init__(
        self,
        device: torch.device,
        sampler: BatchSampler,
        names: np.ndarray | None,
        steps: int,
        checkpoint: Checkpoint,
    ):
        self._first = torch.full((), -1, dtype=torch.int64, device=device)
        self._sampler, self._names, self._steps, self._checkpoint = sampler, names, steps, checkpoint

    @property
    def sync_is_free(self) -> bool:
        """Whether reading the result after every step costs nothing."""
        return self._first.device.type == "cpu"

    def update(self, step: int, losses: dict[str, torch.Tensor], gradient_norm: torch.Tensor) -> None:
        """Remember `step` if a loss or the norm of the gradient is not finite, and those of all earlier steps were.

        Raises:
            StageError: where reading the result is free, see `check`.
        """
        values = torch.stack([*(value.float() for value in losses.values()), gradient_norm.float()])
        bad = (self._first < 0) & ~values.isfinite().all()
        self._first = torch.where(bad, step, self._first)
        if self.sync_is_free:
            self.check()

    def first_step(self) -> int | None:
        """The first such step, from 0, if there was one."""
        step = int(self._first)
        return None if step < 0 else step

    def check(self) -> None:
        """Raise if there was such a step.

        Raises:
            StageError: with the step, its images and what to change. All images of its batch are in a file.
        """
        if (step := self.first_step()) is None:
            return
        epoch, rows = step // self._sampler.epoch_steps, self._sampler.rows(step)
        images = [f"row {row}" for row in rows] if self._names is None else self._names[rows].tolist()
        path = self._checkpoint.diverged
        if self._checkpoint.is_owner:
            record = {"step": step + 1, "steps": self._steps, "epoch": epoch + 1, "images": images}
            with whole_file(path) as part:
                part.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        shown = ", ".join(images[:IMAGES_SHOWN]) + (", ..." if len(images) > IMAGES_SHOWN else "")
        kept = "No state was saved yet"
        if self._checkpoint.path.exists():
            kept = f"The last good state is kept in {self._checkpoint.path}, for these parameters and to look at"
        raise StageError(
            f"the loss is not finite at step {step + 1} of {self._steps}, in epoch {epoch + 1}, on {len(images)} "
            f"images ({shown}; all of them: {path}). {kept}. Look at the images; lower train.learning_rate or "
            f"train.gradient_clip, or set train.precision to float32."
        )
