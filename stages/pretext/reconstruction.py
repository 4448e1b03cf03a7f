"""The control's objective: from the lightness of an image make its lightness."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stages.color.scaling import lightness_input


@dataclass
class Reconstruction:
    """L -> L: the same network and budget without colour. Its loss is the mean squared error of L in [-1, 1].

    It reads none of `loss.*`, so that the control stands still while the colour losses are varied.
    """

    out_channels = 1

    def losses(self, output: torch.Tensor, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """`loss`, a scalar; `output` (N, 1, H, W), `lab` (N, 3, H, W)."""
        return {"loss": F.mse_loss(output.float(), lightness_input(lab))}
