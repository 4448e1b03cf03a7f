"""A fitted conv classifier with what it takes to use it, and its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from stages.compute.device import autocast

if TYPE_CHECKING:
    from stages.classifiers.standardization import ChannelStats

PREDICTION_BATCH = 128


class ConvProbe(NamedTuple):
    """A layer's conv probe, of pretraining seed 0 and seed 0, and what it takes to use it."""

    model: nn.Sequential
    stats: ChannelStats
    classes: list[str]


@torch.inference_mode()
def conv_log_probabilities(model: nn.Sequential, features: np.ndarray, precision: str) -> np.ndarray:
    """Log-probabilities (N, classes) float32 of view 0 of standardised features (N, V, C, H, W)."""
    model.eval()
    device = next(model.parameters()).device
    parts = []
    for batch in torch.from_numpy(features[:, 0]).split(PREDICTION_BATCH):
        inputs = batch.to(device).float().contiguous(memory_format=torch.channels_last)
        with autocast(device, precision):
            logits = model(inputs)
        parts.append(F.log_softmax(logits.float(), dim=1).cpu())
    return torch.cat(parts).numpy()
