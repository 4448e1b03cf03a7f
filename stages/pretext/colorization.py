"""The objective of the study: from the lightness of an image make its colours, by regression."""

from dataclasses import dataclass

import lpips
import torch

from stages.color.lab import lab_to_rgb
from stages.color.scaling import ab_of_output, ab_target
from stages.pretext.autoencoder import Autoencoder
from stages.pretext.images import Batch
from stages.pretext.losses import open_lpips, pixel_loss
from stages.pretext.network import build_autoencoder
from stages.shared.params import Loss, Model


@dataclass
class Colorization:
    """L -> ab by regression (Zhang 2016, eq. 1), with the losses of Ballester 2022, section 3: pixels and LPIPS.

    The adversarial one of that section is added by the training loop: see `stages.pretext.adversary`.

    Attributes:
        loss: the parameters.
        perceptual: LPIPS on the device of the images; None where its weight is 0.
    """

    loss: Loss
    perceptual: lpips.LPIPS | None

    @classmethod
    def from_settings(cls, settings: dict, device: torch.device) -> "Colorization":
        """Of data/objectives/colorization/train.json; LPIPS is opened only if it has a weight."""
        loss = Loss.model_validate(settings["loss"])
        perceptual = None
        if loss.lpips_weight > 0:
            perceptual = open_lpips(loss.lpips_net, loss.lpips_backbone, "loss").to(device)
        return cls(loss, perceptual)

    def build(self, model: Model) -> Autoencoder:
        """An untrained network."""
        return build_autoencoder(model, sees="lightness", out_channels=2)

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` their weighted sum; `output` (N, 2, H, W)."""
        output, lab = output.float(), batch.lab
        parts = {"pixel": pixel_loss(output, ab_target(lab), self.loss.pixel, self.loss.smooth_l1_beta)}
        parts["loss"] = self.loss.pixel_weight * parts["pixel"]
        if self.perceptual is not None:
            parts["lpips"] = self.perceptual(_lpips_input(painted(output, lab)), _lpips_input(lab)).float().mean()
            parts["loss"] = parts["loss"] + self.loss.lpips_weight * parts["lpips"]
        return parts


def painted(output: torch.Tensor, lab: torch.Tensor) -> torch.Tensor:
    """The true L with the colours that the network made: (N, 3, H, W) Lab."""
    return torch.cat((lab[:, :1], ab_of_output(output.float())), dim=1)


def _lpips_input(lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) Lab -> RGB scaled from [0, 1] to [-1, 1], not clipped: clipping would end the gradient."""
    return lab_to_rgb(lab) * 2 - 1
