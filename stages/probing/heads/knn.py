"""Weighted k-NN classifier (Wu 2018).

Wu et al., Unsupervised Feature Learning via Non-Parametric Instance Discrimination, arXiv 1805.01978, section 3.4, as
in eval_knn.py of facebookresearch/dino: the k training images with the highest cosine similarity s vote for their
classes with weight exp(s / temperature). There are no weights to train. Features are those of the linear probe, scaled
to length 1. Mirror images are not used: each would stand beside its image and vote twice. k is selected on validation
images.

Settings that matter, with the paper's values:
    probe.linear_grid       maps are average-pooled to this many positions an axis
    probe.knn_k             numbers of neighbours to select from: [200]; DINO: [10, 20, 100, 200]
    probe.knn_temperature   0.07
"""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from stages.probing.head import FittedHead, Trial, select_hyperparameter
from stages.probing.layer_features import LayerFeatures
from stages.probing.scores import accuracy_and_loss
from stages.probing.source import ProbeRun
from stages.runtime.schema import Probe

CHUNK_IMAGES = 1024
FLOOR = 0.01  # share of the votes that is spread over all classes, so that no loss is infinite


class KnnProbe(NamedTuple):
    """The labelled images to search.

    Attributes:
        vectors: (N, D) float32, of length 1.
        labels: (N,) int64 in 0..classes-1.
        k: number of neighbours that `predict` uses.
    """

    vectors: torch.Tensor
    labels: torch.Tensor
    classes: int
    temperature: float
    k: int = 1


def fit(run: ProbeRun, train: LayerFeatures, validation: LayerFeatures) -> FittedHead:
    """Store the labelled images and select k."""
    values = run.settings.knn_k
    probe = fit_knn_probe(train.pooled, train.labels, run.classes, run.settings.knn_temperature)
    predictions = knn_log_probabilities(probe, validation.pooled, values)
    trials = [
        Trial(k, *accuracy_and_loss(log_probabilities, validation.labels))
        for k, log_probabilities in zip(values, predictions, strict=True)
    ]
    best = select_hyperparameter(trials, "knn_k")
    return FittedHead((probe._replace(k=values[best]),), "k", tuple(trials), best)


def predict(probe: KnnProbe, features: LayerFeatures, settings: Probe) -> np.ndarray:
    """Log-probabilities (N, K) float64: the shares of the neighbours' weights."""
    return knn_log_probabilities(probe, features.pooled, [probe.k])[0]


def fit_knn_probe(pooled: np.ndarray, labels: np.ndarray, classes: int, temperature: float) -> KnnProbe:
    """Store view 0 of pooled features (N, V, D) float32 and the labels (N,) int64 in 0..classes-1."""
    return KnnProbe(_unit_vectors(pooled), torch.from_numpy(labels), classes, temperature)


def knn_log_probabilities(probe: KnnProbe, pooled: np.ndarray, neighbours: list[int]) -> list[np.ndarray]:
    """Log-probabilities (M, classes) float64 of view 0 of pooled features (M, V, D), one array for each k.

    A class's probability is its share of the weights of the k nearest, mixed with 1 % of the uniform distribution. A k
    above the number of training images is cut to it. Of classes with equal weights, also 0, the first counts as
    likelier.
    """
    counts = [min(k, len(probe.labels)) for k in neighbours]
    queries = _unit_vectors(pooled)
    results = [np.empty((len(queries), probe.classes)) for _ in counts]
    for start in range(0, len(queries), CHUNK_IMAGES):
        similarity, nearest = (queries[start : start + CHUNK_IMAGES] @ probe.vectors.T).topk(max(counts), dim=1)
        # Relative to the nearest, so that no temperature overflows; the factor cancels in the shares.
        weights = ((similarity - similarity[:, :1]).double() / probe.temperature).exp()
        votes = probe.labels[nearest]
        for k, log_probabilities in zip(counts, results, strict=True):
            shares = torch.zeros(len(votes), probe.classes, dtype=torch.float64)
            shares.scatter_add_(1, votes[:, :k], weights[:, :k])
            shares /= shares.sum(dim=1, keepdim=True)
            mixed = (1 - FLOOR) * shares + FLOOR / probe.classes
            log_probabilities[start : start + CHUNK_IMAGES] = mixed.log().numpy()
    return results


def _unit_vectors(pooled: np.ndarray) -> torch.Tensor:
    return F.normalize(torch.from_numpy(np.ascontiguousarray(pooled[:, 0])), dim=1)
