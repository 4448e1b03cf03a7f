"""What the autoencoder is asked to make of the lightness: colours, or the lightness itself.

The one place where Lab is scaled to what the network sees and makes.
"""

from dataclasses import dataclass

import lpips
import torch
import torch.nn.functional as F

from stages.color.lab import lab_to_rgb
from stages.pretext.losses import AB_SCALE, open_lpips, pixel_loss


def lightness_input(lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) Lab -> (N, 1, H, W), L scaled from 0..100 to [-1, 1]: what every encoder here sees."""
    return lab[:, :1] / 50 - 1


def painted_lab(lab: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """The true lightness of `lab` (N, 3, H, W) with the colours of a network's `output` (N, 2, H, W)."""
    return torch.cat((lab[:, :1], output.float() * AB_SCALE), dim=1)


def lpips_input(lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) Lab -> RGB scaled from [0, 1] to [-1, 1], not clipped."""
    return lab_to_rgb(lab) * 2 - 1


@dataclass
class Colorization:
    """L -> ab by regression (Zhang 2016, eq. 1), with the study's losses: pixels plus LPIPS."""

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
            perceptual = open_lpips(loss.lpips_net, loss.lpips_backbone).to(device)
        return cls(loss.pixel, loss.smooth_l1_beta, loss.pixel_weight, loss.lpips_weight, perceptual)

    def losses(self, output: torch.Tensor, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` their weighted sum; `output` (N, 2, H, W), `lab` (N, 3, H, W)."""
        parts = {"pixel": pixel_loss(output.float(), lab[:, 1:] / AB_SCALE, self.pixel, self.smooth_l1_beta)}
        parts["loss"] = self.pixel_weight * parts["pixel"]
        if self.perceptual is not None:
            painted, truth = lpips_input(painted_lab(lab, output)), lpips_input(lab)
            parts["lpips"] = self.perceptual(painted, truth).float().mean()
            parts["loss"] = parts["loss"] + self.lpips_weight * parts["lpips"]
        return parts


@dataclass
class Reconstruction:
    """L -> L: the same network and budget without colour. Its loss is the mean squared error of L in [-1, 1].

    It reads none of `loss.*`, so that the control stands still while the colour losses are varied.
    """

    out_channels = 1

    def losses(self, output: torch.Tensor, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """`loss`, a scalar; `output` (N, 1, H, W), `lab` (N, 3, H, W)."""
        return {"loss": F.mse_loss(output.float(), lightness_input(lab))}
