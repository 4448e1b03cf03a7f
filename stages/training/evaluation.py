"""Mean losses over images, each of which counts the same."""

import math

import numpy as np
import torch
from torch import nn

from stages.compute.device import autocast
from stages.runtime.errors import StageError
from stages.training.distributed import ALONE, Processes
from stages.training.images import Images
from stages.training.objective import Objective
from stages.training.settings import Settings


@torch.no_grad()
def evaluate(
    model: nn.Module, objective: Objective, images: Images, settings: Settings, processes: Processes = ALONE
) -> dict[str, float]:
    """The objective's mean losses on images as they are, or on views that are the same at every epoch.

    Raises:
        StageError: when one is not finite.
    """
    device = next(model.parameters()).device
    model.eval()
    sums = {}
    batches = np.array_split(np.arange(len(images)), math.ceil(len(images) / settings.batch_size))
    for number, rows in enumerate(batches):
        if processes.agree_after(number, device):
            processes.stop_if_interrupted(device)
        shard = processes.shard(len(rows))
        batch = objective.views(images.batch(rows[shard.slice], device), [0, 0, number], shard)
        with autocast(device, settings.precision):
            losses = objective.losses(model(batch.lab), batch)
        add_losses(sums, losses, shard.images)
    processes.all_reduce([*sums.values()])
    model.train()
    return mean_losses(sums, len(images), "validation")


def add_losses(sums: dict[str, torch.Tensor], losses: dict[str, torch.Tensor], images: int) -> None:
    """Add a batch's mean losses to the sums over images, in place and on their device: no GPU has to wait."""
    for name, value in losses.items():
        sums[name] = sums.get(name, 0) + value.detach().double() * images


def mean_losses(sums: dict[str, torch.Tensor], images: int, where: str) -> dict[str, float]:
    """Sums over images, divided by their number.

    Raises:
        StageError: when a mean is not finite; `where` is for the message.
    """
    means = {name: (total / images).item() for name, total in sums.items()}
    if not all(map(math.isfinite, means.values())):
        raise StageError(
            f"the loss is not finite ({where}: {means}). Lower train.learning_rate or train.gradient_clip, or set "
            "train.precision to float32."
        )
    return means
