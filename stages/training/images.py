"""The images of a training: Lab arrays, with labels where labels are learned."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from stages.compute.batches import Batch, load_batch, to_device

CHUNK = 1024  # images copied to a GPU at a time
ROOM = 0.5  # of a GPU's free memory that images may take; the rest is the training's


@dataclass(frozen=True)
class Images:
    """Lab images that a network is trained or chosen on.

    Attributes:
        lab8: (N, 3, S, S) uint8 Lab, see `stages.color.lab.encode_lab8`; a tensor where it lies on the device.
        labels: (N,) int64, or None where nothing is labelled.
        names: (N,) "class/id", or None where nobody needs to know.
    """

    lab8: np.ndarray | torch.Tensor
    labels: np.ndarray | None = None
    names: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.lab8)

    @property
    def image_size(self) -> int:
        """The edge in pixels."""
        return self.lab8.shape[-1]

    def to_device(self, device: torch.device, free: int) -> "Images":
        """The same, copied to `device` once and for all if they take at most half of `free` bytes there.

        54,675 images of 128 px are 2.7 GB. Where they do not fit they stay a memory map, of which each batch is read.
        """
        if self.lab8.nbytes > ROOM * free:
            return self
        copy = torch.empty(self.lab8.shape, dtype=torch.uint8, device=device)
        for start in range(0, len(self), CHUNK):
            chunk = np.s_[start : start + CHUNK]
            copy[chunk] = torch.from_numpy(np.array(self.lab8[chunk]))
        return replace(self, lab8=copy)

    def batch(self, rows: np.ndarray, device: torch.device) -> Batch:
        """Some rows as they are."""
        labels = None if self.labels is None else to_device(self.labels[rows], device)
        lab = load_batch(self.lab8, rows, device)
        return Batch(lab, lab, labels)
