"""How many epochs give a control the images or the arithmetic of an autoencoder's training.

A clock would give other epochs, and so other bytes, on another machine or on a busy one. So the arithmetic of a step is
counted from shapes alone, on PyTorch's meta device: the same count for any device and any seed.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from stages.compute.batches import Batch
from stages.runtime.schema import Model
from stages.training.distributed import Shard
from stages.training.images import Images
from stages.training.objective import Objective
from stages.training.settings import Settings


@dataclass(frozen=True)
class Budget:
    """A training's settings, and a sentence for its model card that says why its epochs are not `train.epochs`."""

    settings: Settings
    reason: str = ""


def equal_images(settings: Settings, images: int, pretrain_images: int) -> Budget:
    """As many epochs of so many images as take the images of the `pretrain` images' epochs, rounded up."""
    epochs = math.ceil(settings.epochs * pretrain_images / images)
    reason = f"It was trained for {epochs} epochs of {images} images, as many steps as the `pretrain` images take."
    return Budget(replace(settings, epochs=epochs), reason)


def equal_compute(
    settings: Settings, objective: Objective, reference: Objective, model: Model, images: Images
) -> Budget:
    """As many epochs as take the FLOPs of `reference` in `settings.epochs`, rounded up.

    So an objective without a decoder, which costs less an image, sees the images more often, and is never given less.
    """
    flops, budget = (image_flops(each, model, images.image_size, settings.batch_size) for each in (objective, reference))
    epochs = math.ceil(settings.epochs * budget / flops)
    reason = (
        f"It was trained for {epochs} epochs, not for `train.epochs`: as many FLOPs as an autoencoder with its decoder "
        f"takes (of forward and backward passes {budget / 1e9:.3f} GFLOPs an image, of this one {flops / 1e9:.3f})."
    )
    return Budget(replace(settings, epochs=epochs), reason)


def image_flops(objective: Objective, model: Model, image_size: int, batch_size: int) -> float:
    """FLOPs of the forward and the backward pass, for one image of a batch: of convolutions and matrix products.

    What an optimizer takes depends on the parameters, not on the images, and is left out: less than a hundredth here.
    """
    labels = torch.zeros(batch_size, dtype=torch.int64)
    batch = Batch(*(torch.zeros(batch_size, 3, image_size, image_size) for _ in range(2)), labels)
    batch = objective.views(batch, [0, 0, 0], Shard(slice(None), batch_size, batch_size))
    with torch.device("meta"):
        network = objective.build(model)
    batch = Batch(*(value if value is None else value.to("meta") for value in batch))
    with FlopCounterMode(display=False) as counter:
        objective.losses(network(batch.lab), batch)["loss"].backward()
    return counter.get_total_flops() / batch_size
