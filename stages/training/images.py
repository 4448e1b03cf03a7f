"""The images of a training: Lab arrays, with labels where the training is supervised."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from stages.compute.batches import Batch, load_batch, to_device
from stages.dataset.arrays import SelectedRows, SubstitutedRows

CHUNK = 1024  # images copied to a GPU at a time
MEMORY_SHARE = 0.5  # of a GPU's free memory that images may take; the rest is the training's


@dataclass(frozen=True)
class Images:
    """Lab images for training or validation.

    Attributes:
        lab8: (N, 3, S, S) uint8 Lab, see `stages.color.lab.encode_lab8`: an array, some rows of one, an array of which
            some rows are another's, or a tensor on the device.
        labels: (N,) int64, or None without labels.
        names: (N,) "class/id", for messages, or None.
    """

    lab8: np.ndarray | SelectedRows | SubstitutedRows | torch.Tensor
    labels: np.ndarray | None = None
    names: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.lab8)

    @property
    def image_size(self) -> int:
        """The edge in pixels."""
        return self.lab8.shape[-1]

    def to_device(self, device: torch.device, free: int) -> "Images":
        """The same images, copied to `device` if they take at most half of the `free` bytes there.

        54,675 images of 128 px are 2.7 GB. Images that do not fit stay a memory map, from which each batch is read.
        """
        if self.lab8.nbytes > MEMORY_SHARE * free:
            return self
        copy = torch.empty(self.lab8.shape, dtype=torch.uint8, device=device)
        for start in range(0, len(self), CHUNK):
            chunk = np.s_[start : start + CHUNK]
            copy[chunk] = torch.from_numpy(np.array(self.lab8[chunk]))
        return replace(self, lab8=copy)

    def batch(self, rows: np.ndarray, device: torch.device) -> Batch:
        """Some rows, without augmentation."""
        labels = None if self.labels is None else to_device(self.labels[rows], device)
        lab = load_batch(self.lab8, rows, device)
        return Batch(lab, lab, labels)
