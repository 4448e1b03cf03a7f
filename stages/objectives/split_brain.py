"""Two half networks: one predicts a and b from lightness, the other lightness from a and b."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stages.color.normalization import normalize_ab, normalize_lightness
from stages.compute.batches import Batch
from stages.losses.color_classification import ColorClassification, classification_settings
from stages.models.autoencoder import build_autoencoder
from stages.models.split_brain import SplitBrain
from stages.runtime.schema import Model, Params
from stages.training.objective import Objective

LIGHTNESS_BINS = 50


def settings(params: Params) -> dict[str, dict]:
    """`train`: what the training depends on; `paint`: what painting with the trained network depends on.

    Raises:
        StageError: see `classification_settings`.
    """
    if params.split_brain.kind == "regression":
        return {"train": {"kind": "regression"}, "paint": {}}
    return {
        "train": classification_settings(params.classification) | {"kind": "classification"},
        "paint": {"temperature": params.classification.temperature},
    }


def objective(settings: dict, device: torch.device) -> "SplitBrainPrediction":
    """The objective of data/objectives/split_brain/train.json."""
    regression = settings["kind"] == "regression"
    return SplitBrainPrediction(None if regression else ColorClassification.from_settings(settings, device))


@dataclass
class SplitBrainPrediction(Objective):
    """L -> ab and ab -> L, by classification or by regression (Zhang 2017, section 3.2, eq. 3 and 4).

    Each half has half the channels in every layer and half of the latents. By classification, ab is classified as in
    `ColorClassification` and L into 50 equal bins (section 3.1), both at its stride; by regression, both losses are
    the mean squared error in [-1, 1] (eq. 3), at full resolution.

    The target of L is the lightness before its augmentation, which nothing in a and b could predict.

    Attributes:
        colors: the classification of ab; None for regression.
    """

    colors: ColorClassification | None

    def build(self, model: Model) -> SplitBrain:
        """Two untrained halves."""
        if self.colors is None:
            colors = build_autoencoder(model, width=0.5, input_channels="lightness", out_channels=2)
            lightness = build_autoencoder(model, width=0.5, input_channels="ab", out_channels=1)
        else:
            colors = self.colors.build(model, width=0.5)
            lightness = build_autoencoder(
                model, width=0.5, input_channels="ab", out_channels=LIGHTNESS_BINS, output_stride=self.colors.stride
            )
        return SplitBrain(colors, lightness)

    def losses(self, output: list[torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
        """`color`, `lightness` and their sum `loss`, scalars; `output` of the two halves."""
        colors, lightness = output
        if self.colors is None:
            parts = {
                "color": F.mse_loss(colors.float(), normalize_ab(batch.lab)),
                "lightness": F.mse_loss(lightness.float(), normalize_lightness(batch.unjittered)),
            }
        else:
            small = F.avg_pool2d(batch.unjittered[:, :1], self.colors.stride)[:, 0]
            bins = (small * (LIGHTNESS_BINS / 100)).long().clamp(max=LIGHTNESS_BINS - 1)
            parts = {
                "color": self.colors.losses(colors, batch)["loss"],
                # One row a place: of the two-dimensional form GPUs have no deterministic algorithm.
                "lightness": F.cross_entropy(lightness.float().movedim(1, -1).flatten(0, 2), bins.flatten()),
            }
        return parts | {"loss": parts["color"] + parts["lightness"]}
