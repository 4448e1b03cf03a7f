"""Batches of Lab images on the device that computes."""

from typing import NamedTuple

import numpy as np
import torch

from stages.color.lab import decode_lab8


def to_device(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """A tensor of an array, on `device`; a GPU copies it from pinned memory, which nothing waits for."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


def load_batch(array: np.ndarray | torch.Tensor, rows: np.ndarray | slice, device: torch.device) -> torch.Tensor:
    """Rows of a (N, 3, S, S) uint8 Lab array as (len(rows), 3, S, S) float32 Lab on `device`.

    A tensor is on `device` already, see `stages.training.images.Images.to_device`: only the rows' numbers travel.
    """
    if isinstance(array, torch.Tensor):
        return decode_lab8(array[rows if isinstance(rows, slice) else to_device(rows, device)])
    chosen = array[rows]
    if not chosen.flags.writeable:  # a slice of a read-only memory map, which torch cannot share
        chosen = np.array(chosen)
    return decode_lab8(to_device(chosen, device))


class Batch(NamedTuple):
    """Some images on their way through a network.

    Attributes:
        lab: (N, 3, S, S) float32 Lab, as the network sees it.
        unjittered: the same before its lightness was varied: what lightness is predicted against where it is not seen.
        labels: (N,) int64, or None where nothing is labelled.
    """

    lab: torch.Tensor
    unjittered: torch.Tensor
    labels: torch.Tensor | None = None
