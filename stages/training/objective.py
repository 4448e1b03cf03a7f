"""The interface between the training loop and what a network is trained for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

if TYPE_CHECKING:
    from stages.compute.batches import Batch
    from stages.runtime.schema import Model
    from stages.training.distributed import Processes, Shard


class Companion(Protocol):
    """A second network that is trained alongside and adds to the loss, such as a critic."""

    def step(
        self,
        output: Any,
        batch: Batch,
        losses: dict[str, torch.Tensor],
        seed: list[int],
        shard: Shard,
        processes: Processes,
    ) -> dict[str, torch.Tensor]:
        """Update the companion, and return the network's losses with the companion's added.

        Args:
            output: of the network, with its graph.
            batch, losses: of the objective. Scalars by name, `loss` the one to minimise.
            seed: of this batch and no other. Whatever is drawn must follow from it, or a run that resumes would end in
                other bytes than one that was not interrupted.
            shard: of the batch, which these images are.
            processes: that share the batch: gradients have to be summed over them.
        """

    def state_dict(self) -> dict:
        """For a checkpoint: tensors, numbers, strings, lists and dicts."""

    def load_state_dict(self, state: dict) -> None:
        """Continue from the state of a checkpoint."""


class Objective(ABC):
    """What a network is trained for: the network, and the losses of its output.

    A pretext is a subclass in `stages/objectives/<name>.py` or `stages/controls/<name>.py`.
    """

    @abstractmethod
    def build(self, model: Model) -> nn.Module:
        """An untrained network of the size of `model`, the encoder's weights drawn first.

        It is called on (N, 3, S, S) float32 Lab and returns what `losses` takes. Its attribute `ends` lists the modules
        that Muon leaves to AdamW, see `stages.training.optimizers`.
        """

    def views(self, batch: Batch, seed: list[int], shard: Shard) -> Batch:
        """What the network is given of a batch, in training and in validation: by default the batch as it is.

        Args:
            batch: (N, 3, S, S) Lab, in training augmented.
            seed: of this batch and no other. Whatever is drawn must follow from it, see `Companion.step`.
            shard: of the batch, which these images are: an image's draws must depend on its position in the batch.
        """
        return batch

    @abstractmethod
    def losses(self, output: Any, batch: Batch) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` the one to minimise; on training and on validation images."""

    def encoder(self, network: nn.Module) -> nn.Module:
        """The part of a network that is saved, of a class in `stages.models`."""
        return network

    def companion(self, device: torch.device) -> Companion | None:
        """What trains beside the network, drawn from torch's generator; None for nothing."""
        return None
