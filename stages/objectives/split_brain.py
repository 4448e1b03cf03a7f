"""Two half networks: one predicts a and b from lightness, the other lightness from a and b."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stages.color.normalization import LIGHTNESS_SCALE, normalize_ab, normalize_lightness
from stages.compute.batches import Batch
from stages.losses.color_classes import downsample_ab
from stages.losses.color_classification import ColorClassification, classification_settings
from stages.losses.lightness_offset import (
    lightness_classes,
    lightness_logits,
    mean_colors,
    mean_lightness,
)
from stages.losses.pixel import pixel_loss
from stages.models.autoencoder import build_autoencoder
from stages.models.offset import Offset
from stages.models.split_brain import SplitBrain
from stages.palette.counts import read_joint, read_mean_ab, read_prior
from stages.runtime.schema import Model, Params
from stages.training.objective import Objective

LIGHTNESS_BINS = 50


def settings(params: Params) -> dict[str, dict]:
    """`train`: what the training depends on; `paint`: what painting with the trained network depends on.

    Raises:
        StageError: see `classification_settings`; or when an offset is asked for and a file of data/colors is missing.
    """
    shared = {"kind": params.split_brain.kind, "width": params.split_brain.width}
    if params.split_brain.kind == "regression":
        return {"train": _regression_settings(params) | shared, "paint": {}}
    train = classification_settings(params.classification, params.pretext.lightness_offset)
    if params.pretext.lightness_offset:
        bins, _ = read_prior()
        offset = lightness_logits(read_joint(params.classification.stride), bins, LIGHTNESS_BINS)
        train["offsets"].append(offset.to_json())
    return {"train": train | shared, "paint": {"temperature": params.classification.temperature}}


def _regression_settings(params: Params) -> dict:
    lightness_offset, stride = params.pretext.lightness_offset, params.model.chroma_stride
    offsets = []
    if lightness_offset:
        bins, _ = read_prior()
        offsets = [mean_colors(read_mean_ab()[1]), mean_lightness(read_joint(stride), bins)]
    return {
        "pixel": params.loss.pixel,
        "smooth_l1_beta": params.loss.smooth_l1_beta,
        "chroma_stride": stride,
        "lightness_offset": lightness_offset,
        "offsets": [offset.to_json() for offset in offsets],
    }


def objective(settings: dict, device: torch.device) -> "SplitBrainClassification | SplitBrainRegression":
    """The objective of data/objectives/split_brain/train.json."""
    offsets = [Offset.from_json(offset) for offset in settings["offsets"]] or [None, None]
    if settings["kind"] == "classification":
        colors = ColorClassification.from_settings(settings, device)
        return SplitBrainClassification(settings["width"], colors, offsets[1])
    return SplitBrainRegression(
        settings["width"], settings["pixel"], settings["smooth_l1_beta"], settings["chroma_stride"], *offsets
    )


def half(model: Model, width: float) -> Model:
    """The size of each half: `width` times the channels of every layer, and half of the latents."""
    channels = [round(width * channels) for channels in model.block_out_channels]
    return model.model_copy(update={"block_out_channels": channels, "latent_channels": model.latent_channels // 2})


@dataclass
class SplitBrainClassification(Objective):
    """L -> ab and ab -> L by classification (Zhang 2017, section 3.2, eq. 4).

    ab is classified as in `ColorClassification` and L into 50 equal bins (section 3.1), both at its stride. The target
    of L is the lightness before its augmentation, which nothing in a and b could predict.

    Attributes:
        width: of each half, in units of the single network's: Zhang's is 0.5.
        colors: the classification of ab.
        lightness_offset: the logits of L from colour alone, to which the half adds, or None.
    """

    width: float
    colors: ColorClassification
    lightness_offset: Offset | None = None

    def build(self, model: Model) -> SplitBrain:
        """Two untrained halves."""
        size = half(model, self.width)
        return SplitBrain(
            self.colors.build(size),
            build_autoencoder(
                size,
                self.lightness_offset,
                input_channels="ab",
                out_channels=LIGHTNESS_BINS,
                output_stride=self.colors.stride,
            ),
        )

    def losses(self, output: list[torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
        """`color`, `lightness` and their sum `loss`, scalars in nats; `output` of the two halves."""
        colors, lightness = output
        bins = lightness_classes(F.avg_pool2d(batch.unjittered[:, 0], self.colors.stride), LIGHTNESS_BINS)
        color = self.colors.losses(colors, batch)["loss"]
        # One row a place: of the two-dimensional form GPUs have no deterministic algorithm.
        lightness = F.cross_entropy(lightness.float().movedim(1, -1).flatten(0, 2), bins.flatten())
        return {"color": color, "lightness": lightness, "loss": color + lightness}


@dataclass
class SplitBrainRegression(Objective):
    """L -> ab and ab -> L by regression (Zhang 2017, section 3.2, eq. 3), with the pixel loss of `colorization`.

    Both losses are of the same kind, with the same beta in units of Lab, against the mean of each square of `stride`
    pixels. The target of L is the lightness before its augmentation, which nothing in a and b could predict.

    Attributes:
        width: of each half, in units of the single network's: Zhang's is 0.5.
        pixel: kind of the loss: see `pixel_loss`.
        beta: of `smooth_l1`, in units of Lab.
        stride: image pixels to a position of the output, along an axis.
        color_offset: the mean colour of each lightness, from which the half predicts the difference, or None.
        lightness_offset: the mean lightness of each colour, likewise.
    """

    width: float
    pixel: str
    beta: float
    stride: int
    color_offset: Offset | None = None
    lightness_offset: Offset | None = None

    def build(self, model: Model) -> SplitBrain:
        """Two untrained halves."""
        size = half(model, self.width)
        return SplitBrain(
            build_autoencoder(
                size, self.color_offset, input_channels="lightness", out_channels=2, output_stride=self.stride
            ),
            build_autoencoder(
                size, self.lightness_offset, input_channels="ab", out_channels=1, output_stride=self.stride
            ),
        )

    def losses(self, output: list[torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
        """`color`, `lightness` and their sum `loss`, scalars; `output` of the two halves."""
        colors, lightness = output
        true_colors = downsample_ab(normalize_ab(batch.lab), self.stride)
        true_lightness = F.avg_pool2d(normalize_lightness(batch.unjittered), self.stride)
        parts = {
            "color": pixel_loss(colors.float(), true_colors, self.pixel, self.beta),
            "lightness": pixel_loss(lightness.float(), true_lightness, self.pixel, self.beta, LIGHTNESS_SCALE),
        }
        return parts | {"loss": parts["color"] + parts["lightness"]}
