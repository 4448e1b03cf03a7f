"""Features of Lab images and their mirror images, from an encoder's layers."""

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from stages.compute.batches import load_batch
from stages.compute.device import autocast
from stages.features.pooling import whole_factor
from stages.models.autoencoder import Autoencoder
from stages.models.geometry import HYPERCOLUMN
from stages.models.kmeans_patches import KMeansPatches
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError

BATCH = 64


def layer_shapes(
    model: Autoencoder | SplitBrain | KMeansPatches, layers: list[str], image_size: int, features: int
) -> dict[str, tuple[int, int, int]]:
    """(channels, height, width) of each layer for a square image, as `extract_features` stores it.

    `latent` stays as it is. Every other layer is averaged over blocks of the smallest whole size that leaves at most
    `features` values, after Zhang 2017, section 4.1, who bring all layers to about 9,000. `hypercolumn` is all layers
    of the encoder, averaged down to one grid and concatenated: see `layer_maps`. A layer that the encoder does not have
    is left out.
    """
    device = next(model.parameters()).device
    with torch.inference_mode():
        maps = model.activations(torch.zeros(1, 3, image_size, image_size, device=device))
    shapes = {}
    for layer in layers if model.layers is None else [layer for layer in layers if layer in model.layers]:
        channels, side = layer_maps(maps, layer).shape[1:3]
        side //= 1 if layer == "latent" else whole_factor(channels, side, features)
        shapes[layer] = (channels, side, side)
    return shapes


def layer_maps(maps: dict[str, torch.Tensor], layer: str) -> torch.Tensor:
    """The maps (N, C, h, w) float32 of a layer, of all layers' activations `maps`.

    Those of `hypercolumn` are every layer's, averaged over blocks to the grid of the smallest and concatenated, in the
    order from the image to the latents (Head2Toe: Evci et al. 2022, arXiv 2201.03529, section 3, who pool every layer
    to a fixed size, normalise and concatenate). A probe standardises each channel on its own, so no layer weighs more
    by its scale.
    """
    if layer != HYPERCOLUMN:
        return maps[layer].float()
    grid = min(values.shape[-1] for values in maps.values())
    return torch.cat([F.avg_pool2d(values.float(), values.shape[-1] // grid) for values in maps.values()], dim=1)


@torch.inference_mode()
def extract_features(
    model: Autoencoder | SplitBrain | KMeansPatches, array: np.ndarray, outputs: dict[str, np.ndarray], precision: str
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
                values = layer_maps(maps, layer)
                if (factor := values.shape[-1] // output.shape[-1]) > 1:
                    values = F.avg_pool2d(values, factor)
                half = values.half()
                if not half.isfinite().all():
                    raise StageError(
                        f"layer '{layer}' of the encoder exceeds float16's range (largest: "
                        f"{values.abs().max().item():.3g}): the training has diverged. Lower train.learning_rate."
                    )
                output[start : start + BATCH, view] = half.cpu().numpy()
