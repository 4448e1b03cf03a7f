"""Batches of Lab images whose order and augmentation depend on (seed, epoch, step) alone.

Nothing is carried from one batch to the next, so a run that resumes at any step draws what it would have drawn.
"""

import numpy as np
import torch

from stages.color.lab import decode_lab8


def epoch_order(images: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of range(images)."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def load_batch(array: np.ndarray, rows: np.ndarray | slice, device: torch.device) -> torch.Tensor:
    """Rows of a (N, 3, S, S) uint8 Lab array as (len(rows), 3, S, S) float32 Lab on `device`."""
    return decode_lab8(torch.from_numpy(np.array(array[rows])).to(device, non_blocking=True))


def augment(lab: torch.Tensor, jitter: float, seed: int, epoch: int, step: int) -> torch.Tensor:
    """Mirror each image with probability 1/2 and vary the contrast and brightness of its lightness.

    Lightness becomes 50 + c (L - 50) + 100 b with c in 1 +- jitter and b in 0 +- jitter / 2, clipped to 0..100: mild
    enough that it stays a function of the photograph (the study inverted its input at random).

    Args:
        lab: (N, 3, H, W) float32 Lab.
        jitter: largest relative change, 0 for none.

    Returns:
        A new (N, 3, H, W) tensor; a and b are changed only by the mirroring.
    """
    draws = np.random.default_rng([seed, epoch, step + 1]).random((3, len(lab)), dtype=np.float32)
    mirrored, contrast, brightness = torch.from_numpy(draws).to(lab.device)[:, :, None, None, None]
    lab = torch.where(mirrored < 0.5, lab.flip(-1), lab)
    lightness = 50 + (1 + jitter * (2 * contrast - 1)) * (lab[:, :1] - 50) + 50 * jitter * (2 * brightness - 1)
    return torch.cat((lightness.clip(0, 100), lab[:, 1:]), dim=1)
