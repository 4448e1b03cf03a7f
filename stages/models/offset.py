"""What is added to a decoder's output: a table that is looked up by the network's input at each position."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


class Axis(NamedTuple):
    """Evenly spaced values of one channel of Lab.

    Attributes:
        first: the lowest value, in units of Lab.
        step: between neighbours, in units of Lab.
        count: how many.
    """

    first: float
    step: float
    count: int

    def nearest(self, values: torch.Tensor) -> torch.Tensor:
        """Index of the nearest of the axis's values, 0..count-1, int64; midway between two, of the lower."""
        return ((values - self.first) / self.step - 0.5).ceil().long().clamp(0, self.count - 1)


class Offset(NamedTuple):
    """What a channel or two of Lab say about the output.

    Attributes:
        axes: one for each of these channels.
        rows: (product of the axes' counts, out_channels) float32, the last axis varying fastest.
    """

    axes: list[Axis]
    rows: torch.Tensor

    def to_json(self) -> dict[str, list]:
        """For data/objectives/<name>/train.json, rounded so that its bytes do not depend on the machine."""
        return {"axes": [list(axis) for axis in self.axes], "rows": self.rows.double().numpy().round(6).tolist()}

    @classmethod
    def from_json(cls, values: dict[str, list]) -> "Offset":
        """The inverse of `to_json`."""
        return cls([Axis(*axis) for axis in values["axes"]], torch.tensor(values["rows"], dtype=torch.float32))


class OffsetTable(nn.Module):
    """A table in a buffer: saved with the weights, moved with them, not trained.

    Args:
        axes: (first, step, count) of each input channel: see `Axis`.
        channels: of the output.
    """

    def __init__(self, axes: list[list[float]], channels: int):
        super().__init__()
        self.axes = [Axis(*axis) for axis in axes]
        self.register_buffer("rows", torch.zeros(math.prod(axis.count for axis in self.axes), channels))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """The nearest row at each position.

        Args:
            seen: (N, len(axes), h, w) float32, in units of Lab.

        Returns:
            (N, channels, h, w) float32.
        """
        index = torch.zeros_like(seen[:, 0], dtype=torch.int64)
        for axis, values in zip(self.axes, seen.unbind(1), strict=True):
            index = index * axis.count + axis.nearest(values)
        return F.embedding(index, self.rows).movedim(-1, 1)
