"""Latents of Lab images, and of their mirror images."""

import numpy as np
import torch
from tqdm import tqdm

from stages.color.scaling import lightness_input
from stages.pretext.autoencoder import Autoencoder
from stages.pretext.batches import load_batch
from stages.shared.device import autocast
from stages.shared.errors import StageError

BATCH = 64


@torch.inference_mode()
def encode(model: Autoencoder, array: np.ndarray, latents: np.ndarray, precision: str) -> None:
    """Fill `latents` with what `model` makes of the images of `array`.

    A mirror image is encoded afresh rather than its latents mirrored: a convolutional encoder is not exactly
    equivariant to mirroring, and the probe shall see what the encoder would have given.

    Args:
        array: (N, 3, S, S) uint8 Lab.
        latents: (N, V, C, h, w) float16, written to; view 0 is of the image, view 1 of its mirror image.
        precision: `float32` or `bfloat16`.

    Raises:
        StageError: when a latent does not fit into float16.
    """
    device = next(model.parameters()).device
    for start in tqdm(range(0, len(array), BATCH), unit="batch", desc="encoding", disable=None):
        lightness = lightness_input(load_batch(array, np.s_[start : start + BATCH], device))
        for view in range(latents.shape[1]):
            with autocast(device, precision):
                encoded = model.encode(lightness if view == 0 else lightness.flip(-1))
            half = encoded.half()
            if not half.isfinite().all():
                raise StageError(
                    f"the encoder's latents exceed float16's range (largest: {encoded.abs().max().item():.3g}): "
                    "the training has diverged. Lower train.learning_rate."
                )
            latents[start : start + BATCH, view] = half.cpu().numpy()
