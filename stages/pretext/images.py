"""The images of a training: Lab arrays, with labels where labels are learned."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from stages.pretext.batches import load_batch


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

    def batch(self, rows: np.ndarray, device: torch.device) -> Batch:
        """Some rows as they are."""
        labels = None if self.labels is None else torch.from_numpy(self.labels[rows]).to(device)
        lab = load_batch(self.lab8, rows, device)
        return Batch(lab, lab, labels)
