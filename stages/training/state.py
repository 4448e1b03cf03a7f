"""What a training run has reached: everything that a checkpoint holds."""

import math
from dataclasses import dataclass, field

import torch
from torch import nn

from stages.training.evaluation import add_losses
from stages.training.objective import Companion


@dataclass
class TrainingState:
    """The state after a step. It changes within a step and at the end of an epoch only.

    Attributes:
        model, optimizers: on their device.
        companion: what trains beside the network, or None.
        step: how many steps were taken.
        images: of the current epoch so far.
        sums: of the training losses over these images, on the device.
        history: each finished epoch's losses and learning rate, as logged.
        best_loss: the lowest validation loss of an epoch.
        best_weights: the model's after that epoch, on the CPU.
    """

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]
    companion: Companion | None = None
    step: int = 0
    images: int = 0
    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = math.inf
    best_weights: dict[str, torch.Tensor] = field(init=False)

    def __post_init__(self):
        self.best_weights = _copy(self.model)

    @property
    def learning_rate(self) -> float:
        """That of the last step."""
        return self.optimizers[0].param_groups[0]["lr"]

    def end_step(self, losses: dict[str, torch.Tensor], images: int) -> None:
        """Count a step with its mean losses over `images`."""
        add_losses(self.sums, losses, images)
        self.images += images
        self.step += 1

    def end_epoch(self, record: dict[str, float]) -> None:
        """Note an epoch's record, and the weights if its validation loss is the lowest so far."""
        self.history.append(record)
        self.images, self.sums = 0, {}
        if record["validation/loss"] < self.best_loss:
            self.best_loss, self.best_weights = record["validation/loss"], _copy(self.model)

    def state_dict(self) -> dict:
        """Tensors, numbers, strings, lists and dicts."""
        return dict(
            model=self.model.state_dict(),
            optimizers=[optimizer.state_dict() for optimizer in self.optimizers],
            companion=self.companion.state_dict() if self.companion else {},
            step=self.step,
            images=self.images,
            sums=self.sums,
            history=self.history,
            best_loss=self.best_loss,
            best_weights=self.best_weights,
        )

    def load_state_dict(self, state: dict) -> None:
        """Continue from what `state_dict` returned, its tensors on any device."""
        device = next(self.model.parameters()).device
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        if self.companion:
            self.companion.load_state_dict(state["companion"])
        self.step, self.images, self.history = state["step"], state["images"], state["history"]
        self.sums = {name: total.to(device) for name, total in state["sums"].items()}
        self.best_loss, self.best_weights = state["best_loss"], state["best_weights"]


def _copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
