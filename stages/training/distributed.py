"""Several processes that share every batch of a training: what each works on, and how their results are added up.

The batch stays the parameter's: each process takes a shard of it, gradients of the whole batch's mean are added up, and
all take the same step from the same weights. Losses are those of one process, up to the order of additions.
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
        slice: of them in the batch.
        images: how many of them count. 0 where a batch has fewer images than there are processes: then `slice` is an
            image that stands in, so that every process takes part in every step.
        of: images of the whole batch.
    """

    slice: slice
    images: int
    of: int

    @property
    def weight(self) -> float:
        """Of a mean over this shard, in the mean over the whole batch."""
        return self.images / self.of


@dataclass(frozen=True)
class Processes:
    """One of `count` processes. By default the only one, for which nothing below does anything."""

    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether it is the one that writes: series, checkpoints, encoders."""
        return self.rank == 0

    def shard(self, images: int) -> Shard:
        """What this one takes of a batch: shards are contiguous and differ by one image at most."""
        start, end = images * self.rank // self.count, images * (self.rank + 1) // self.count
        return Shard(slice(start, end) if end > start else slice(0, 1), end - start, images)

    def all_reduce(self, tensors: list[torch.Tensor]) -> None:
        """Put in the place of each tensor its sum over all processes; they must call it alike."""
        if self.count == 1 or not tensors:
            return
        from accelerate.utils import reduce

        total = reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduction="sum")
        for tensor, part in zip(tensors, total.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, wish: bool, device: torch.device) -> bool:
        """Whether some process wishes for something, for all of them to do it together."""
        wishes = torch.tensor([float(wish)], device=device)
        self.all_reduce([wishes])
        return wishes.item() > 0

    def broadcast(self, value: int, device: torch.device) -> int:
        """The first process's value, in all of them."""
        values = torch.tensor([value if self.is_main else 0], device=device)
        self.all_reduce([values])
        return int(values)

    def destroy(self) -> None:
        """Take leave of the others, once nothing is left to add up."""
        if self.count > 1:
            from accelerate import PartialState

            PartialState().destroy_process_group()


def init_distributed(device: torch.device) -> Processes:
    """This process among those that Accelerate started with it; the only one, where it started none."""
    if local_rank() is None:
        return Processes()
    from accelerate import PartialState

    state = PartialState(cpu=device.type == "cpu")
    if state.process_index == 0:
        os.dup2(1, 2)  # its progress is for the user; what the launcher says goes to the launcher's log
    return Processes(state.process_index, state.num_processes)
