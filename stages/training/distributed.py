"""Data-parallel training: the shard of each batch that a process works on, and sums over processes.

train.batch_size is the whole batch: each process takes a shard of it, DistributedDataParallel sums the gradients of the
whole batch's mean while the backward pass goes on, and all take the same step from the same weights. Losses are those
of one process, up to the order of additions. Hugging Face Accelerate connects the processes; one needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from stages.compute.device import local_rank
from stages.runtime.entry_point import ERROR_FILE
from stages.runtime.errors import StageError
from stages.runtime.interrupts import Interrupted, defer_interrupts, received

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

# What may take one machine longer than another: to begin, to read and hash its data, to score the online probe.
WAIT_TIMEOUT = timedelta(minutes=30)
# Within a step, for a process that does not answer. One that ends is noticed at once, as it closes its connections.
STEP_TIMEOUT = timedelta(seconds=50)
SAME_SIGNAL = 5.0  # seconds in which a launcher passes on a signal that its processes have received, too


# After so many steps several processes agree whether a checkpoint is due and whether one of them was interrupted. To
# read the answer synchronises a GPU; a step on a CPU takes longer than to ask.
AGREE_STEPS = {"cuda": 20, "cpu": 1}


class InterruptedElsewhere(StageError):
    """Another process of this training was interrupted."""


@dataclass(frozen=True)
class Shard:
    """The images of a batch that a process works on.

    Attributes:
        slice: their places in the batch.
        images: how many of them count. 0 where a batch has fewer images than there are processes: then `slice` is an
            image that stands in, so that every process takes part in every step.
        batch_size: images of the whole batch.
    """

    slice: slice
    images: int
    batch_size: int

    @property
    def weight(self) -> float:
        """The weight of a mean over this shard in the mean over the whole batch."""
        return self.images / self.batch_size


@dataclass(frozen=True)
class Processes:
    """One of `count` processes. By default the only one, for which nothing below does anything.

    Attributes:
        rank: 0 is the main process: it alone writes series, checkpoints and encoders.
        group: that communicates within steps; None: torch's default, which waits longer.
    """

    rank: int = 0
    count: int = 1
    group: ProcessGroup | None = None

    @property
    def is_main(self) -> bool:
        """Whether it is the one that writes."""
        return self.rank == 0

    def shard(self, images: int) -> Shard:
        """This process's of a batch: shards are contiguous and differ by one image at most."""
        start, end = images * self.rank // self.count, images * (self.rank + 1) // self.count
        return Shard(slice(start, end) if end > start else slice(0, 1), end - start, images)

    def replicate(self, model: nn.Module) -> nn.Module:
        """The model with the main process's weights, whose backward pass leaves the mean gradient of all processes.

        Parameters that the first backward pass does not reach get no gradient later, either.
        """
        if self.count == 1:
            return model
        return nn.parallel.DistributedDataParallel(
            model, process_group=self.group, forward_sync_buffers=False, gradient_as_bucket_view=True, static_graph=True
        )

    def all_reduce(self, tensors: list[torch.Tensor]) -> None:
        """Sum each tensor over all processes, in place. All of them must call it alike."""
        if self.count == 1 or not tensors:
            return
        total = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(total, group=self.group)
        for tensor, part in zip(tensors, total.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, value: bool, device: torch.device) -> bool:
        """Whether it is true in some process, in all of them."""
        count = torch.tensor([float(value)], device=device)
        self.all_reduce([count])
        return count.item() > 0

    def agree_after(self, step: int, device: torch.device) -> bool:
        """Whether it is time to agree, after so many steps, on what one of several processes knows."""
        return self.count > 1 and step % AGREE_STEPS[device.type] == 0

    def broadcast(self, value: Any) -> Any:
        """The main process's value in all of them: what pickle can write, its tensors on the CPU."""
        if self.count == 1:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, src=0)
        return values[0]

    def require_equal(self, value: str, what: str) -> None:
        """Check that all processes have the same value.

        Raises:
            StageError: in all of them, where one has another.
        """
        if self.count == 1:
            return
        values = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        if others := [rank for rank, other in enumerate(values) if other != values[0]]:
            raise StageError(
                f"{what} of process {', '.join(map(str, others))} differ from those of process 0, on the first "
                "machine: bring the same commit and data there (git pull, dvc pull), then start all of them again"
            )

    def wait(self) -> None:
        """Wait until all processes have come here, such as for the main one."""
        if self.count > 1:
            torch.distributed.barrier()

    def stop_if_interrupted(self, device: torch.device) -> None:
        """End all processes at the same point, when one of them was interrupted.

        To be called within `with processes.together()`, where a signal is held: a process that ended by itself would
        leave the others waiting within a step, of which the state cannot be saved.

        Raises:
            Interrupted: in the interrupted process.
            InterruptedElsewhere: in the others.
        """
        if self.count == 1 or not self.any(bool(received), device):
            return
        if received:
            raise Interrupted(received[0])
        raise InterruptedElsewhere(
            "the training was interrupted in another process or on another machine; started again on all of them, it "
            "goes on from its checkpoint"
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block in which a signal waits for `stop_if_interrupted`, and the loss of a process is explained.

        Raises:
            StageError: when another process has ended, or does not answer.
        """
        if self.count == 1:
            yield
            return
        try:
            with defer_interrupts(SAME_SIGNAL):
                yield
        except RuntimeError as error:
            if not isinstance(error, torch.distributed.DistError) and "gloo" not in str(error):
                raise
            raise StageError(
                f"another process of the training has ended or does not answer ({str(error).splitlines()[0]}): see its "
                "output. Started again on all machines, the training goes on from its last checkpoint."
            ) from None

    def destroy(self) -> None:
        """End the communication, once nothing is left to sum."""
        if self.count > 1:
            from accelerate import PartialState

            PartialState().destroy_process_group()


ALONE = Processes()


def init_distributed(device: torch.device) -> Processes:
    """This process among those that were started with it; the only one, where none were."""
    if local_rank() is None:
        return ALONE
    from accelerate import PartialState

    try:
        state = PartialState(cpu=device.type == "cpu", timeout=WAIT_TIMEOUT)
    except torch.distributed.DistError as error:
        raise StageError(
            f"the processes of the training did not meet at {os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} "
            f"({str(error).splitlines()[0]}): the first machine must have this address and run the same command, and "
            "the port must be open"
        ) from None
    if state.process_index == 0 and ERROR_FILE in os.environ:
        os.dup2(1, 2)  # its progress is for the user; what the stage's launcher says goes to the launcher's log
    return Processes(state.process_index, state.num_processes, torch.distributed.new_group(timeout=STEP_TIMEOUT))
