"""The objective of most controls: reproduce the input."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stages.color.normalization import CHANNELS, normalize_lab
from stages.compute.batches import Batch
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.runtime.schema import Model
from stages.training.objective import Objective


@dataclass
class Reconstruction(Objective):
    """L -> L (`reconstruction`), or Lab -> Lab (`autoencoder`, the comparison in Zhang 2017, section 4).

    The same network, output resolution and budget as for colourisation. The loss is the mean squared error in [-1, 1];
    `loss.*` is not read, so a change of it leaves the controls alone.

    Attributes:
        channels: `lightness` or `lab`, see `stages.color.normalization.normalize_lab`.
        stride: image pixels to a position of the output, along an axis: a power of 2. Above 1 the target is the mean of
            each square, as colorization's is.
    """

    channels: str
    stride: int = 1

    def build(self, model: Model) -> Autoencoder:
        """An untrained network."""
        return build_autoencoder(
            model, input_channels=self.channels, out_channels=CHANNELS[self.channels], output_stride=self.stride
        )

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss`, a scalar; `output` (N, 1 or 3, H / stride, W / stride)."""
        target = F.avg_pool2d(normalize_lab(batch.lab, self.channels), self.stride)
        return {"loss": F.mse_loss(output.float(), target)}
