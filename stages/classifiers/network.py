"""The study's probe network: two 3x3 convolutions with BatchNorm, an average pool and a linear layer."""

import torch
from torch import nn


class PositionMean(nn.Module):
    """Global average pool, (N, C, H, W) to (N, C): a quarter off a CPU step against AdaptiveAvgPool2d."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C)."""
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
