"""Weighted k-NN classifier (Wu 2018).

Wu et al., Unsupervised Feature Learning via Non-Parametric Instance Discrimination, arXiv 1805.01978, section 3.4, as
in eval_knn.py of facebookresearch/dino: the k training images with the highest cosine similarity s vote for their
classes with weight exp(s / temperature). There are no weights to train. Features are those of the linear probe, scaled
to length 1. Mirror images are not used: each would stand beside its image and vote twice. k is selected on validation
images.

The search is exact. It goes by blocks of labelled images, of which each query keeps its nearest so far, so that memory
does not grow with the number of all pairs, and labelled vectors may be memory-mapped. FAISS's exact index takes the
same product, and holds all vectors in memory (docs/performance.md).

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

CHUNK_IMAGES = 1024  # queries at once
BLOCK_IMAGES = 16_384  # labelled images that they are compared with at once: 64 MB of similarities
FLOOR = 0.01  # share of the votes that is spread over all classes, so that no loss is infinite


class KnnProbe(NamedTuple):
    """The labelled images to search.

    Attributes:
        vectors: (N, D) float32, of length 1; it may be memory-mapped and larger than memory.
        labels: (N,) int64 in 0..classes-1.
        k: number of neighbours that `predict` uses.
    """

    vectors: np.ndarray
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
        chunk = torch.from_numpy(queries[start : start + CHUNK_IMAGES])
        similarity, nearest = nearest_vectors(chunk, probe.vectors, max(counts))
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


def nearest_vectors(queries: torch.Tensor, vectors: np.ndarray, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k vectors with the largest inner product with each query, largest first.

    Args:
        queries: (M, D) float32.
        vectors: (N, D) float32, read BLOCK_IMAGES rows at a time; N >= k.

    Returns:
        Inner products (M, k) float32 and row numbers (M, k) int64. Of equal ones in two blocks the first block's count.
    """
    similarity, nearest = torch.empty(len(queries), 0), torch.empty(len(queries), 0, dtype=torch.int64)
    for start in range(0, len(vectors), BLOCK_IMAGES):
        # A read-only memory map is copied, block by block: torch has no read-only tensors.
        block = torch.from_numpy(np.require(vectors[start : start + BLOCK_IMAGES], requirements=["C", "W"]))
        found, rows = (queries @ block.T).topk(min(k, len(block)), dim=1)
        similarity, order = torch.cat((similarity, found), dim=1).sort(dim=1, descending=True, stable=True)
        nearest = torch.cat((nearest, rows + start), dim=1).gather(1, order[:, :k])
        similarity = similarity[:, :k]
    return similarity, nearest


def _unit_vectors(pooled: np.ndarray) -> np.ndarray:
    """View 0 of (N, V, D), scaled to length 1: (N, D) float32."""
    vectors = np.empty((len(pooled), pooled.shape[2]), np.float32)
    for start in range(0, len(pooled), BLOCK_IMAGES):
        part = np.ascontiguousarray(pooled[start : start + BLOCK_IMAGES, 0])
        vectors[start : start + BLOCK_IMAGES] = F.normalize(torch.from_numpy(part), dim=1).numpy()
    return vectors
