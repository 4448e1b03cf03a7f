"""Data-parallel training: the shard of each batch that a process works on, and sums over processes.

train.batch_size is the whole batch: each process takes a shard of it, the gradients of the whole batch's mean are
summed, and all take the same step from the same weights. Losses are those of one process, up to the order of additions.
Hugging Face Accelerate starts the processes (`stages.training.launch`) and connects them; one needs none of it.
"""

import os
from dataclasses import dataclass

import torch

from stages.compute.device import local_rank


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
    """One of `count` processes. By default the only one, for which nothing below does anything."""

    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether it is the one that writes: series, checkpoints, encoders; that of rank 0."""
        return self.rank == 0

    def shard(self, images: int) -> Shard:
        """This process's of a batch: shards are contiguous and differ by one image at most."""
        start, end = images * self.rank // self.count, images * (self.rank + 1) // self.count
        return Shard(slice(start, end) if end > start else slice(0, 1), end - start, images)

    def all_reduce(self, tensors: list[torch.Tensor]) -> None:
        """Sum each tensor over all processes, in place. All of them must call it alike."""
        if self.count == 1 or not tensors:
            return
        from accelerate.utils import reduce

        total = reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduction="sum")
        for tensor, part in zip(tensors, total.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, value: bool, device: torch.device) -> bool:
        """Whether it is true in some process, in all of them."""
        count = torch.tensor([float(value)], device=device)
        self.all_reduce([count])
        return count.item() > 0

    def broadcast(self, value: int, device: torch.device) -> int:
        """The main process's value, in all of them."""
        values = torch.tensor([value if self.is_main else 0], device=device)
        self.all_reduce([values])
        return int(values)

    def destroy(self) -> None:
        """End the communication, once nothing is left to sum."""
        if self.count > 1:
            from accelerate import PartialState

            PartialState().destroy_process_group()


ALONE = Processes()


def init_distributed(device: torch.device) -> Processes:
    """This process among those that Accelerate started with it; the only one, where it started none."""
    if local_rank() is None:
        return ALONE
    from accelerate import PartialState

    state = PartialState(cpu=device.type == "cpu")
    if state.process_index == 0:
        os.dup2(1, 2)  # its progress is for the user; what the launcher says goes to the launcher's log
    return Processes(state.process_index, state.num_processes)
