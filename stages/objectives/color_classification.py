"""Classify the colour of each position among the bins of a palette, from lightness (Zhang 2016)."""

import torch

from stages.losses.color_classification import ColorClassification, classification_settings
from stages.runtime.schema import Params


def settings(params: Params) -> dict[str, dict]:
    """`train`: what the training depends on; `paint`: what painting with the trained network depends on.

    Raises:
        StageError: see `classification_settings`.
    """
    return {
        "train": classification_settings(params.classification, params.pretext.lightness_offset),
        "paint": {"temperature": params.classification.temperature},
    }


def objective(settings: dict, device: torch.device) -> ColorClassification:
    """The objective of data/objectives/color_classification/train.json."""
    return ColorClassification.from_settings(settings, device)
