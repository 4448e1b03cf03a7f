"""The images of a training: Lab arrays, with labels where labels are learned."""

from dataclasses import dataclass

import numpy as np
import torch

from stages.pretext.batches import load_batch


@dataclass(frozen=True)
class Images:
    """Lab images that a network is trained or chosen on.

    Attributes:
        lab8: (N, 3, S, S) uint8 Lab, see `stages.color.lab.encode_lab8`.
        labels: (N,) int64, or None where nothing is labelled.
    """

    lab8: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.lab8)

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(n, 3, S, S) float32 Lab of some rows, and their (n,) labels or None."""
        labels = None if self.labels is None else torch.from_numpy(self.labels[rows]).to(device)
        return load_batch(self.lab8, rows, device), labels
