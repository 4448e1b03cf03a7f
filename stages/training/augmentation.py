"""Augmentation whose random draws depend on (seed, epoch, step) alone.

No generator's state is carried from one batch to the next, so a run that resumes at any step draws the same numbers.
"""

import numpy as np
import torch
import torch.nn.functional as F

from stages.compute.batches import to_device
from stages.training.distributed import Shard


def augment(
    lab: torch.Tensor,
    jitter: float,
    crop: float,
    seed: int,
    epoch: int,
    step: int,
    shard: Shard | None = None,
    view: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random horizontal flip, random resized square crop, and jitter of the contrast and brightness of L.

    Lightness becomes 50 + c (L - 50) + 100 b with c in 1 +- jitter and b in 0 +- jitter / 2, clipped to 0..100: mild
    enough that it stays a function of the photograph (the study inverted its input at random). The crop's edge is
    uniform between `crop` and 1 times the image's, its position uniform within the image; it is upsampled bilinearly.

    Args:
        lab: (N, 3, H, W) float32 Lab.
        jitter: largest relative change of lightness, 0 for none.
        crop: smallest edge of the crop in units of the image's, 1 for no crop.
        shard: of a batch, which these images are; None: they are the whole batch. An image's draws depend on its
            position in the batch, not on how processes share it.
        view: other draws for the same batch: 0 is what every objective is given, others are those of `Objective.views`.

    Returns:
        Two (N, 3, H, W) tensors: with jittered lightness, and without. Flip and crop are the same in both.
    """
    generator = np.random.default_rng([seed, epoch, step + 1, *([view] if view else [])])
    rows, count = (shard.slice, shard.batch_size) if shard else (slice(None), len(lab))

    def draw() -> torch.Tensor:
        return to_device(generator.random((3, count), dtype=np.float32), lab.device)[:, rows]

    mirrored, contrast, brightness = draw()[:, :, None, None, None]
    lab = torch.where(mirrored < 0.5, lab.flip(-1), lab)
    if crop < 1:
        lab = _resized_crop(lab, draw(), crop)
    varied = 50 + (1 + jitter * (2 * contrast - 1)) * (lab[:, :1] - 50) + 50 * jitter * (2 * brightness - 1)
    return torch.cat((varied.clip(0, 100), lab[:, 1:]), dim=1), lab


def _resized_crop(lab: torch.Tensor, draws: torch.Tensor, smallest: float) -> torch.Tensor:
    """Crop to squares whose edge and position follow from (3, N) draws in [0, 1), resized to (N, 3, H, W)."""
    edge = smallest + (1 - smallest) * draws[0]
    transform = torch.zeros(len(lab), 2, 3, device=lab.device)
    transform[:, 0, 0] = transform[:, 1, 1] = edge
    transform[:, :, 2] = ((1 - edge) * (2 * draws[1:] - 1)).T
    grid = F.affine_grid(transform, list(lab.shape), align_corners=False)
    return F.grid_sample(lab, grid, padding_mode="border", align_corners=False)
