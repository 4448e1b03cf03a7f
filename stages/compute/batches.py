"""Batches of Lab images on the device that computes."""

from typing import NamedTuple

import numpy as np
import torch

from stages.color.lab import decode_lab8


def to_device(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """A tensor of an array, on `device`; to a GPU it is copied from pinned memory, asynchronously."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


def load_batch(array: np.ndarray | torch.Tensor, rows: np.ndarray | slice, device: torch.device) -> torch.Tensor:
    """Float32 Lab of some rows of an 8-bit Lab array, on `device`.

    Args:
        array: (N, 3, S, S) uint8, see `stages.color.lab.encode_lab8`. A tensor is on `device` already, see
            `stages.training.images.Images.to_device`: only the row numbers are copied.
        rows: B of 0..N-1.

    Returns:
        (B, 3, S, S) float32: L in 0..100, a and b in -128..127.
    """
    if isinstance(array, torch.Tensor):
        return decode_lab8(array[rows if isinstance(rows, slice) else to_device(rows, device)])
    lab8 = array[rows]
    if not lab8.flags.writeable:  # a slice of a read-only memory map, which torch cannot share
        lab8 = np.array(lab8)
    return decode_lab8(to_device(lab8, device))


class Batch(NamedTuple):
    """A batch of images.

    Attributes:
        lab: (N, 3, S, S) float32 Lab, the network's input.
        unjittered: the same before the lightness jitter: the target where lightness is predicted from a and b.
        labels: (N,) int64; None for unlabelled images.
    """

    lab: torch.Tensor
    unjittered: torch.Tensor
    labels: torch.Tensor | None = None
