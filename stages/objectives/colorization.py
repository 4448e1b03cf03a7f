"""The objective of the study: from the lightness of an image make its colours, by regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from stages.color.lab import lab_to_rgb
from stages.color.normalization import denormalize_ab, normalize_ab
from stages.compute.batches import Batch
from stages.losses.color_classes import downsample_ab
from stages.losses.perceptual import open_lpips
from stages.losses.pixel import pixel_loss
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.runtime.schema import Loss, Model, Params

if TYPE_CHECKING:
    import lpips


def settings(params: Params) -> dict[str, dict]:
    """`train`: what the training depends on; `paint`: what painting with the trained network depends on."""
    loss = {key: getattr(params.loss, key) for key in Loss.model_fields}
    return {"train": {"loss": loss, "chroma_stride": params.model.chroma_stride}, "paint": {}}


def objective(settings: dict, device: torch.device) -> Colorization:
    """The objective of data/objectives/colorization/train.json; LPIPS is opened only if it has a weight.

    Raises:
        StageError: when LPIPS's weights are not to be had, see `open_lpips`.
    """
    loss = Loss.model_validate(settings["loss"])
    perceptual = None
    if loss.lpips_weight > 0:
        perceptual = open_lpips(loss.lpips_net, loss.lpips_backbone, "loss").to(device)
    return Colorization(loss, perceptual, settings["chroma_stride"])


@dataclass
class Colorization:
    """L -> ab by regression (Zhang 2016, eq. 1), with the losses of Ballester 2022, section 3: pixels and LPIPS.

    The adversarial one of that section is added by the training loop: see `stages.losses.critic`.

    Attributes:
        loss: the parameters.
        perceptual: LPIPS on the device of the images; None where its weight is 0.
        stride: image pixels to a painted one, along an axis: a power of 2. Above 1 the pixel loss compares with the
            mean colour of each square, and all else sees the output enlarged: as JPEG's 4:2:0 does, and eyes.
    """

    loss: Loss
    perceptual: lpips.LPIPS | None
    stride: int = 1

    def build(self, model: Model) -> Autoencoder:
        """An untrained network."""
        return build_autoencoder(model, input_channels="lightness", out_channels=2, stride=self.stride)

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` their weighted sum; `output` (N, 2, H / stride, W / stride)."""
        output, lab = output.float(), batch.lab
        target = normalize_ab(lab) if self.stride == 1 else downsample_ab(normalize_ab(lab), self.stride)
        parts = {"pixel": pixel_loss(output, target, self.loss.pixel, self.loss.smooth_l1_beta)}
        parts["loss"] = self.loss.pixel_weight * parts["pixel"]
        if self.perceptual is not None:
            parts["lpips"] = self.perceptual(_lpips_input(painted(output, lab)), _lpips_input(lab)).float().mean()
            parts["loss"] = parts["loss"] + self.loss.lpips_weight * parts["lpips"]
        return parts


def painted(output: torch.Tensor, lab: torch.Tensor) -> torch.Tensor:
    """The true L with the colours that the network made, enlarged where it has a stride: (N, 3, H, W) Lab."""
    ab = denormalize_ab(output.float())
    if ab.shape[-2:] != lab.shape[-2:]:
        ab = F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat((lab[:, :1], ab), dim=1)


def _lpips_input(lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) Lab -> RGB scaled from [0, 1] to [-1, 1], not clipped: clipping would end the gradient."""
    return lab_to_rgb(lab) * 2 - 1
