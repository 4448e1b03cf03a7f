"""The first step of a training whose loss or gradient is not finite, told with what it was trained on."""

import torch

from stages.formats.json import write_json
from stages.runtime.errors import StageError
from stages.training.checkpoint import Checkpoint

SHOWN = 5  # images named in the message; the file has them all


class NonFiniteMonitor:
    """Looks at every step; says so when asked, as asking makes a GPU wait for all that it has been given to do."""

    def __init__(self, device: torch.device):
        self._first = torch.full((), -1, dtype=torch.int64, device=device)

    @property
    def sync_is_free(self) -> bool:
        """Whether asking after every step costs nothing."""
        return self._first.device.type == "cpu"

    def update(self, step: int, losses: dict[str, torch.Tensor], gradient_norm: torch.Tensor) -> None:
        """Remember `step` if a loss or the norm of the gradient is not finite, and no earlier step's was."""
        values = torch.stack([*(value.float() for value in losses.values()), gradient_norm.float()])
        bad = (self._first < 0) & ~values.isfinite().all()
        self._first = torch.where(bad, step, self._first)

    def first_step(self) -> int | None:
        """The first such step, if there was one."""
        step = int(self._first)
        return None if step < 0 else step


def diverged(step: int, steps: int, epoch: int, images: list[str], checkpoint: Checkpoint, write: bool) -> StageError:
    """The error for the user; `write`: all the batch's images go to a file beside the checkpoint.

    Args:
        step, epoch: where it was, from 0.
        images: of the batch.
    """
    record = {"step": step + 1, "steps": steps, "epoch": epoch + 1, "images": images}
    if write:
        write_json(checkpoint.diverged, record)
    shown = ", ".join(images[:SHOWN]) + (", ..." if len(images) > SHOWN else "")
    kept = "No state was saved yet"
    if checkpoint.path.exists():
        kept = f"The last good state is kept in {checkpoint.path}, for these parameters and to look at"
    return StageError(
        f"the loss is not finite at step {step + 1} of {steps}, in epoch {epoch + 1}, on {len(images)} images "
        f"({shown}; all of them: {checkpoint.diverged}). {kept}. Look at the images; lower train.learning_rate or "
        f"train.gradient_clip, or set train.precision to float32."
    )
