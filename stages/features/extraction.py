"""Features of Lab images and their mirror images, from an encoder's layers."""

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from stages.compute.batches import load_batch
from stages.compute.device import autocast
from stages.features.pooling import whole_factor
from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError

BATCH = 64


def layer_shapes(
    model: Autoencoder | SplitBrain, layers: list[str], image_size: int, features: int
) -> dict[str, tuple[int, int, int]]:
    """(channels, height, width) of each layer for a square image, as `extract_features` stores it.

    `latent` stays as it is. Every other layer is averaged over blocks of the smallest whole size that leaves at most
    `features` values, after Zhang 2017, section 4.1, who bring all layers to about 9,000.
    """
    device = next(model.parameters()).device
    with torch.inference_mode():
        maps = model.activations(torch.zeros(1, 3, image_size, image_size, device=device))
    shapes = {}
    for layer in layers:
        channels, side = maps[layer].shape[1:3]
        side //= 1 if layer == "latent" else whole_factor(channels, side, features)
        shapes[layer] = (channels, side, side)
    return shapes


@torch.inference_mode()
def extract_features(
    model: Autoencoder | SplitBrain, array: np.ndarray, outputs: dict[str, np.ndarray], precision: str
) -> None:
    """Fill `outputs` with what the layers of `model` make of the images of `array`.

    A mirror image is encoded afresh rather than its maps mirrored: a convolutional encoder is not exactly
    equivariant to mirroring, and the probe shall see what the encoder would have given.

    Args:
        array: (N, 3, S, S) uint8 Lab.
        outputs: by layer (N, V, C, h, w) float16, written to; view 0 is of the image, view 1 of its mirror image. Maps
            are averaged down to h x w.
        precision: `float32` or `bfloat16`.

    Raises:
        StageError: when a value does not fit into float16.
    """
    device = next(model.parameters()).device
    views = next(iter(outputs.values())).shape[1]
    for start in tqdm(range(0, len(array), BATCH), unit="batch", desc="encoding", disable=None):
        lab = load_batch(array, np.s_[start : start + BATCH], device)
        for view in range(views):
            with autocast(device, precision):
                maps = model.activations(lab if view == 0 else lab.flip(-1))
            for layer, output in outputs.items():
                values = maps[layer].float()
                if (factor := values.shape[-1] // output.shape[-1]) > 1:
                    values = F.avg_pool2d(values, factor)
                half = values.half()
                if not half.isfinite().all():
                    raise StageError(
                        f"layer '{layer}' of the encoder exceeds float16's range (largest: "
                        f"{values.abs().max().item():.3g}): the training has diverged. Lower train.learning_rate."
                    )
                output[start : start + BATCH, view] = half.cpu().numpy()
