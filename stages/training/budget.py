"""How many epochs give a control the arithmetic of another training.

A clock would give other epochs, and so other bytes, on another machine or on a busy one. So the arithmetic of a step is
counted from shapes alone, on PyTorch's meta device: the same count for any device and any seed.
"""

import math
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from stages.compute.batches import Batch
from stages.runtime.schema import Model
from stages.training.distributed import Shard
from stages.training.objective import Objective
from stages.training.settings import Settings


def equal_compute(
    settings: Settings, objective: Objective, reference: Objective, model: Model, image_size: int
) -> tuple[Settings, str]:
    """As many epochs as take the FLOPs of `reference` in `settings.epochs`, rounded up.

    An objective without a decoder, which costs less an image, thus sees the images more often; one with several views
    of an image may see them less often.

    Returns:
        The settings with these epochs, and a sentence on them for the model card.
    """
    flops, budget = (image_flops(each, model, image_size, settings.batch_size) for each in (objective, reference))
    epochs = math.ceil(settings.epochs * budget / flops)
    sentence = (
        f"It was trained for {epochs} epochs rather than `train.epochs`: as many FLOPs as an autoencoder takes with "
        f"its decoder (forward and backward {budget / 1e9:.4g} GFLOPs an image, of this one {flops / 1e9:.4g})."
    )
    return replace(settings, epochs=epochs), sentence


def image_flops(objective: Objective, model: Model, image_size: int, batch_size: int) -> float:
    """FLOPs of the forward and the backward pass, for one image of a batch: of convolutions and matrix products.

    An optimizer's FLOPs depend on the parameters and not on the images; they are left out.
    """
    lab, labels = torch.zeros(batch_size, 3, image_size, image_size), torch.zeros(batch_size, dtype=torch.int64)
    batch = objective.views(Batch(lab, lab, labels), [0, 0, 0], Shard(slice(None), batch_size, batch_size))
    batch = Batch(*(None if value is None else value.to("meta") for value in batch))
    with torch.device("meta"):
        network = objective.build(model)
    with FlopCounterMode(display=False) as counter:
        objective.losses(network(batch.lab), batch)["loss"].backward()
    return counter.get_total_flops() / batch_size
