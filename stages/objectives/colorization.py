"""The objective of the study: predict a and b from lightness by regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from stages.color.lab import lab_to_rgb
from stages.color.normalization import denormalize_ab, normalize_ab
from stages.compute.batches import Batch
from stages.losses.color_classes import downsample_ab
from stages.losses.critic import Critic
from stages.losses.lightness_offset import mean_colors
from stages.losses.perceptual import open_lpips
from stages.losses.pixel import pixel_loss
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.models.offset import Offset
from stages.palette.counts import read_mean_ab
from stages.runtime.schema import Loss, Model, Params
from stages.training.objective import Objective

if TYPE_CHECKING:
    import lpips

    from stages.training.distributed import Processes, Shard


def settings(params: Params) -> dict[str, dict]:
    """`train`: what the training depends on; `paint`: what painting with the trained network depends on.

    Raises:
        StageError: when the offset is asked for and data/colors/mean_ab.csv is missing.
    """
    loss = {key: getattr(params.loss, key) for key in Loss.model_fields}
    lightness_offset = params.pretext.lightness_offset
    train = {
        "loss": loss,
        "chroma_stride": params.model.chroma_stride,
        "lightness_offset": lightness_offset,
        "offsets": [mean_colors(read_mean_ab()[1]).to_json()] if lightness_offset else [],
    }
    return {"train": train, "paint": {}}


def objective(settings: dict, device: torch.device) -> Colorization:
    """The objective of data/objectives/colorization/train.json; LPIPS is opened only if it has a weight.

    Raises:
        StageError: when LPIPS's weights are not to be had, see `open_lpips`.
    """
    loss = Loss.model_validate(settings["loss"])
    perceptual = None
    if loss.lpips_weight > 0:
        perceptual = open_lpips(loss.lpips_net, loss.lpips_backbone, "loss").to(device)
    offset = Offset.from_json(settings["offsets"][0]) if settings["offsets"] else None
    return Colorization(loss, perceptual, settings["chroma_stride"], offset)


@dataclass
class Colorization(Objective):
    """L -> ab by regression (Zhang 2016, eq. 1), with the losses of Ballester 2022, section 3.

    These are the pixels', LPIPS, and an adversarial one, each where it has a weight.

    Attributes:
        loss: the parameters.
        perceptual: LPIPS on the device of the images; None where its weight is 0.
        stride: image pixels to a position of the output, along an axis: a power of 2. Above 1 the pixel loss compares
            with the mean colour of each square, and the other losses see the output upsampled, like JPEG's 4:2:0.
        offset: the mean colour of each lightness, from which the network predicts the difference; None for grey.
    """

    loss: Loss
    perceptual: lpips.LPIPS | None
    stride: int = 1
    offset: Offset | None = None

    def build(self, model: Model) -> Autoencoder:
        """An untrained autoencoder, L -> ab."""
        return build_autoencoder(
            model, self.offset, input_channels="lightness", out_channels=2, output_stride=self.stride
        )

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` their weighted sum; `output` (N, 2, H / stride, W / stride)."""
        output, lab = output.float(), batch.lab
        target = normalize_ab(lab) if self.stride == 1 else downsample_ab(normalize_ab(lab), self.stride)
        parts = {"pixel": pixel_loss(output, target, self.loss.pixel, self.loss.smooth_l1_beta)}
        parts["loss"] = self.loss.pixel_weight * parts["pixel"]
        if self.perceptual is not None:
            predicted = predicted_lab(output, lab)
            parts["lpips"] = self.perceptual(_lpips_input(predicted), _lpips_input(lab)).float().mean()
            parts["loss"] = parts["loss"] + self.loss.lpips_weight * parts["lpips"]
        return parts

    def companion(self, device: torch.device) -> AdversarialLoss | None:
        """A critic, if it has a weight."""
        if self.loss.adversarial_weight == 0:
            return None
        return AdversarialLoss(Critic(self.loss.gradient_penalty, device), self.loss.adversarial_weight)


@dataclass
class AdversarialLoss:
    """A critic that trains beside a colorization network, and its loss (Ballester 2022, section 3.4).

    It adds `critic`, the critic's estimate of the Wasserstein distance, and `adversarial`, the generator's loss. Their
    scale drifts with the critic, so they are of use within a training only.

    Attributes:
        weight: of `adversarial` in `loss`.
    """

    critic: Critic
    weight: float

    def step(
        self,
        output: torch.Tensor,
        batch: Batch,
        losses: dict[str, torch.Tensor],
        seed: list[int],
        shard: Shard,
        processes: Processes,
    ) -> dict[str, torch.Tensor]:
        """A step of the critic, then the generator's loss: see `stages.training.objective.Companion`."""
        generated = predicted_lab(output, batch.lab)
        distance = self.critic.step(generated.detach(), batch.lab, [*seed, 1], shard, processes)
        adversarial = self.critic.generator_loss(generated)
        loss = losses["loss"] + self.weight * adversarial
        return losses | {"critic": distance, "adversarial": adversarial, "loss": loss}

    def state_dict(self) -> dict:
        """The critic's."""
        return self.critic.state_dict()

    def load_state_dict(self, state: dict) -> None:
        """Continue from the state of a checkpoint."""
        self.critic.load_state_dict(state)


def predicted_lab(output: torch.Tensor, lab: torch.Tensor) -> torch.Tensor:
    """The true L with the predicted a and b, upsampled where the network has a stride: (N, 3, H, W) float32 Lab."""
    ab = denormalize_ab(output.float())
    if ab.shape[-2:] != lab.shape[-2:]:
        ab = F.interpolate(ab, size=lab.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat((lab[:, :1], ab), dim=1)


def _lpips_input(lab: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) Lab -> RGB scaled from [0, 1] to [-1, 1], not clipped: clipping would end the gradient."""
    return lab_to_rgb(lab) * 2 - 1
