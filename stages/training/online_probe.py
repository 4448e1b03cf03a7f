"""A ridge probe on the encoder while it is trained: does it still get better at telling classes apart?

The pretext's loss does not say which epoch or rate represents best. After each epoch a ridge classifier is fitted to
features of the labelled `probe` images of a domain and scored on its validation images, as online evaluation in
self-supervised learning is done (lightly-ai/lightly, `utils/benchmarking/online_linear_classifier.py`), but fitted anew
each time, so that it is not one more training. It only looks: weights, generators and modes are as they were.

Settings that matter:
    LAYER, GRID     which layer, averaged to how many positions an axis
    ALPHAS          regularisation strengths, selected by leave-one-out over the probe images
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from stages.compute.batches import load_batch
from stages.compute.device import autocast

LAYER, GRID = "mid", 4
ALPHAS = 10.0 ** np.arange(7)
BATCH = 64


@dataclass(frozen=True)
class LabelledRows:
    """Some images of a Lab array.

    Attributes:
        lab8: (N, 3, S, S) uint8, see `stages.color.lab.encode_lab8`.
        rows: (M,) int64 of 0..N-1.
        labels: (M,) class names.
    """

    lab8: np.ndarray
    rows: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class OnlineProbe:
    """The probe of every domain.

    Attributes:
        images: by domain, those to fit to and those to score on.
        precision: of the encoder's forward pass.
    """

    images: dict[str, tuple[LabelledRows, LabelledRows]]
    precision: str

    def scores(self, encoder: nn.Module) -> dict[str, float]:
        """`online_probe/<domain>`: the share of validation images that are classified right.

        Args:
            encoder: with `activations`, of a class in `stages.models`.
        """
        scores = {}
        for domain, (probe, validation) in self.images.items():
            classifier = make_pipeline(StandardScaler(), RidgeClassifierCV(ALPHAS))
            classifier.fit(pooled_features(encoder, probe, self.precision), probe.labels)
            features = pooled_features(encoder, validation, self.precision)
            scores[f"online_probe/{domain}"] = float(classifier.score(features, validation.labels))
        return scores


@torch.no_grad()
def pooled_features(encoder: nn.Module, images: LabelledRows, precision: str) -> np.ndarray:
    """Maps of `LAYER`, averaged to at most GRID x GRID positions: (M, D) float32."""
    device, training = next(encoder.parameters()).device, encoder.training
    encoder.eval()
    parts = []
    for rows in np.array_split(images.rows, math.ceil(len(images.rows) / BATCH)):
        with autocast(device, precision):
            maps = encoder.activations(load_batch(images.lab8, rows, device))[LAYER].float()
        parts.append(F.adaptive_avg_pool2d(maps, min(GRID, maps.shape[-1])).flatten(1).cpu().numpy())
    encoder.train(training)
    return np.concatenate(parts)
