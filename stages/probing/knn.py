"""The k-NN probe: what the nearest labelled images say, each the louder the nearer it is.

Wu et al. 2018 (Unsupervised Feature Learning via Non-Parametric Instance Discrimination, arXiv 1805.01978,
section 3.4), with the settings of DINO's eval_knn.py: the k training images with the highest cosine similarity s
vote for their classes with weight exp(s / temperature). Nothing is fitted, so nothing but the representation is judged.

It sees what the linear probe sees, channels standardised and maps pooled; vectors are then scaled to length 1.
Training images count in view 0 alone: a mirror image would stand beside its image and vote twice.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

CHUNK_IMAGES = 1024
FLOOR = 0.01  # share of the votes that is spread over all classes: no class is impossible, and no loss infinite


class KnnProbe(NamedTuple):
    """The labelled images to look among.

    Attributes:
        vectors: (N, D) float32, of length 1.
        labels: (N,) int64 in 0..classes-1.
    """

    vectors: torch.Tensor
    labels: torch.Tensor
    classes: int
    temperature: float


def fit_knn_probe(pooled: np.ndarray, labels: np.ndarray, classes: int, temperature: float) -> KnnProbe:
    """Remember view 0 of pooled features (N, V, D) float32 and the labels (N,) int64 in 0..classes-1."""
    return KnnProbe(_unit_vectors(pooled), torch.from_numpy(labels), classes, temperature)


def knn_log_probabilities(probe: KnnProbe, pooled: np.ndarray, neighbours: list[int]) -> list[np.ndarray]:
    """Log-probabilities (M, classes) float64 of view 0 of pooled features (M, V, D), one array for each k asked for.

    A class's probability is its share of the weights of the k nearest, mixed with 1 % of the uniform
    distribution. A k above the number of training images is cut to it. Where weights are equal, also at 0, the
    class that comes first counts as likelier.
    """
    counts = [min(k, len(probe.labels)) for k in neighbours]
    queries = _unit_vectors(pooled)
    found = [np.empty((len(queries), probe.classes)) for _ in counts]
    for start in range(0, len(queries), CHUNK_IMAGES):
        similarity, nearest = (queries[start : start + CHUNK_IMAGES] @ probe.vectors.T).topk(max(counts), dim=1)
        # Against the nearest, so that no temperature overflows; the factor cancels in the shares.
        weights = ((similarity - similarity[:, :1]).double() / probe.temperature).exp()
        votes = probe.labels[nearest]
        for k, log_probabilities in zip(counts, found, strict=True):
            shares = torch.zeros(len(votes), probe.classes, dtype=torch.float64)
            shares.scatter_add_(1, votes[:, :k], weights[:, :k])
            shares /= shares.sum(dim=1, keepdim=True)
            mixed = (1 - FLOOR) * shares + FLOOR / probe.classes
            log_probabilities[start : start + CHUNK_IMAGES] = mixed.log().numpy()
    return found


def _unit_vectors(pooled: np.ndarray) -> torch.Tensor:
    return F.normalize(torch.from_numpy(np.ascontiguousarray(pooled[:, 0])), dim=1)
