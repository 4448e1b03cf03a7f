"""Batches of Lab images whose order and augmentation depend on (seed, epoch, step) alone.

Nothing is carried from one batch to the next, so a run that resumes at any step draws what it would have drawn.
"""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from stages.color.lab import decode_lab8


@lru_cache(maxsize=1)  # asked for at every step of the epoch
def epoch_order(images: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of range(images), read-only."""
    order = np.random.default_rng([seed, epoch]).permutation(images)
    order.flags.writeable = False
    return order


def to_device(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """A tensor of an array, on `device`; a GPU copies it from pinned memory, which nothing waits for."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


def load_batch(array: np.ndarray | torch.Tensor, rows: np.ndarray | slice, device: torch.device) -> torch.Tensor:
    """Rows of a (N, 3, S, S) uint8 Lab array as (len(rows), 3, S, S) float32 Lab on `device`.

    A tensor is on `device` already, see `stages.pretext.images.Images.near`: only the rows' numbers travel.
    """
    if isinstance(array, torch.Tensor):
        return decode_lab8(array[rows if isinstance(rows, slice) else to_device(rows, device)])
    chosen = array[rows]
    if not chosen.flags.writeable:  # a slice of a read-only memory map, which torch cannot share
        chosen = np.array(chosen)
    return decode_lab8(to_device(chosen, device))


def augment(
    lab: torch.Tensor,
    jitter: float,
    crop: float,
    seed: int,
    epoch: int,
    step: int,
    place: slice = slice(None),
    of: int | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror each image with probability 1/2, cut a square out of it, vary the contrast and brightness of its L.

    Lightness becomes 50 + c (L - 50) + 100 b with c in 1 +- jitter and b in 0 +- jitter / 2, clipped to 0..100: mild
    enough that it stays a function of the photograph (the study inverted its input at random). The square's edge is
    between `crop` and 1 of the image's, its place anywhere; it is enlarged bilinearly to the size of the image.

    Args:
        lab: (N, 3, H, W) float32 Lab.
        jitter: largest relative change of lightness, 0 for none.
        crop: smallest edge of the square, 1 for the whole image.
        place, of: of these images in a batch of so many; by default they are the batch. What is drawn for an image
            depends on its place in the batch, not on how processes share it.

    Returns:
        Two (N, 3, H, W) tensors: with varied lightness, and without. a and b are the same in both.
    """
    generator = np.random.default_rng([seed, epoch, step + 1])

    def draw() -> torch.Tensor:
        return to_device(generator.random((3, of or len(lab)), dtype=np.float32), lab.device)[:, place]

    mirrored, contrast, brightness = draw()[:, :, None, None, None]
    lab = torch.where(mirrored < 0.5, lab.flip(-1), lab)
    if crop < 1:
        lab = _cut(lab, draw(), crop)
    varied = 50 + (1 + jitter * (2 * contrast - 1)) * (lab[:, :1] - 50) + 50 * jitter * (2 * brightness - 1)
    return torch.cat((varied.clip(0, 100), lab[:, 1:]), dim=1), lab


def _cut(lab: torch.Tensor, draws: torch.Tensor, smallest: float) -> torch.Tensor:
    """The same size, of a square whose edge and place are given by three draws in [0, 1) an image."""
    edge = smallest + (1 - smallest) * draws[0]
    transform = torch.zeros(len(lab), 2, 3, device=lab.device)
    transform[:, 0, 0] = transform[:, 1, 1] = edge
    transform[:, :, 2] = ((1 - edge) * (2 * draws[1:] - 1)).T
    grid = F.affine_grid(transform, list(lab.shape), align_corners=False)
    return F.grid_sample(lab, grid, padding_mode="border", align_corners=False)
