"""The objective: from the lightness of an image make its colours."""

from dataclasses import dataclass

import lpips
import torch

from stages.color.lab import lab_to_rgb
from stages.color.scaling import ab_of_output, ab_target
from stages.pretext.losses import open_lpips, pixel_loss


@dataclass
class Colorization:
    """L -> ab by regression (Zhang 2016, eq. 1), with the study's losses: pixels plus LPIPS.

    Attributes:
        perceptual: LPIPS on the device of the images; None where its weight is 0.
    """

    pixel: str
    smooth_l1_beta: float
    pixel_weight: float
    lpips_weight: float
    perceptual: lpips.LPIPS | None
    out_channels = 2

    @classmethod
    def from_params(cls, loss, device: torch.device) -> "Colorization":
        """Of the parameter group `loss`; LPIPS is opened only if it has a weight."""
        perceptual = None
        if loss.lpips_weight > 0:
            perceptual = open_lpips(loss.lpips_net, loss.lpips_backbone, "loss").to(device)
        return cls(loss.pixel, loss.smooth_l1_beta, loss.pixel_weight, loss.lpips_weight, perceptual)

    def losses(self, output: torch.Tensor, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` their weighted sum; `output` (N, 2, H, W), `lab` (N, 3, H, W)."""
        output = output.float()
        parts = {"pixel": pixel_loss(output, ab_target(lab), self.pixel, self.smooth_l1_beta)}
        parts["loss"] = self.pixel_weight * parts["pixel"]
        if self.perceptual is not None:
            painted = torch.cat((lab[:, :1], ab_of_output(output)), dim=1)
            parts["lpips"] = self.perceptual(_lpips_input(painted), _lpips_input(lab)).float().mean()
            parts["loss"] = parts["loss"] + self.lpips_weight * parts["lpips"]
        return parts


def _lpips_input(lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) Lab -> RGB scaled from [0, 1] to [-1, 1], not clipped: clipping would end the gradient."""
    return lab_to_rgb(lab) * 2 - 1
