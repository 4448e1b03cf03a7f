"""An encoder with a linear layer on its pooled last block."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from stages.color.lab import decode_lab8
from stages.compute.device import autocast
from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.probing.tables import FINETUNED_LAYER

PREDICTION_BATCH = 128


class PooledStats(NamedTuple):
    """Mean and standard deviation of each pooled feature of an encoder, over images: two float32 tensors (D,)."""

    mean: torch.Tensor
    std: torch.Tensor


class FinetunedClassifier(nn.Module):
    """Logits = linear((pooled - mean) / std), where pooled is the mean over positions of the encoder's last block.

    `stats` are those of the encoder as fine-tuning finds it, and stay as they are: every encoder's linear layer starts
    with features of one scale, so that one grid of learning rates suits all. (He et al. 2022, arXiv 2111.06377,
    appendix A, put a BatchNorm without scale before a linear probe; this one does not depend on the batch.)

    Args:
        encoder: all of its weights up to its last block are trained; of a split-brain encoder both halves are, and
            their features are concatenated.
        stats: of `encoder`.
        classes: how many.
    """

    def __init__(self, encoder: Autoencoder | SplitBrain, stats: PooledStats, classes: int):
        super().__init__()
        self.encoder = encoder
        self.linear = nn.Linear(len(stats.mean), classes)
        self.register_buffer("mean", stats.mean)
        self.register_buffer("std", stats.std)

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) float32 Lab -> (N, classes) logits."""
        return self.linear((pool(self.encoder, lab) - self.mean) / self.std)


def pool(encoder: Autoencoder | SplitBrain, lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, S, S) float32 Lab -> (N, D) float32, the mean over positions of the last block's activations."""
    return encoder.activations(lab)[FINETUNED_LAYER].float().mean(dim=(2, 3))


@torch.no_grad()
def pooled_stats(encoder: Autoencoder | SplitBrain, lab8: torch.Tensor, precision: str) -> PooledStats:
    """Mean and standard deviation (at least 1e-6) of the pooled features of (N, 3, S, S) uint8 Lab."""
    with autocast(lab8.device, precision):
        parts = [pool(encoder, decode_lab8(batch)) for batch in lab8.split(PREDICTION_BATCH)]
    features = torch.cat(parts).double()
    return PooledStats(features.mean(0).float(), features.std(0, correction=0).clamp_min(1e-6).float())
