"""The study's probe network: two 3x3 convolutions with BatchNorm, an average pool and a linear layer."""

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
    """The headline layer's conv probe, of pretraining seed 0 and seed 0, and what it takes to use it."""

    model: object
    stats: ChannelStats
    classes: list[str]


class PositionMean(nn.Module):
    """Global average pool, (N, C, H, W) to (N, C): a quarter off a CPU step against AdaptiveAvgPool2d."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.permute(0, 2, 3, 1).flatten(1, 2).mean(1)


def build_conv_classifier(in_channels: int, channels: list[int], classes: int, dropout: float = 0.0) -> nn.Sequential:
    """An untrained probe: (N, in_channels, H, W) to logits (N, classes).

    With channels (128, 256) and 101 classes it has 326,245 parameters for the 4 channels of a latent and
    325,093 for the 3 of an image: the study's.
    """
    layers: list[nn.Module] = []
    for width in channels:
        layers += [nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        in_channels = width
    layers.append(PositionMean())
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(in_channels, classes))


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
