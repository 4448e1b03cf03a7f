"""What is read off a probe's log-probabilities."""

import numpy as np
import pandas as pd

from stages.classifiers.domains import Domain


def top_k_hits(log_probabilities: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether the label is among the k likeliest classes; of equal classes the first counts as likelier.

    Args:
        log_probabilities: (N, K) floating point.
        labels: (N,) int64 in 0..K-1.

    Returns:
        (N,) bool.
    """
    likeliest = np.argsort(-log_probabilities, axis=1, kind="stable")[:, :k]
    return (likeliest == labels[:, None]).any(axis=1)


def cross_entropy(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy of each image in nats: (N,) floating point."""
    return -log_probabilities[np.arange(len(labels)), labels]


def accuracy_and_loss(log_probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Top-1 accuracy in [0, 1], and mean cross-entropy in nats."""
    accuracy = (log_probabilities.argmax(axis=1) == labels).mean()
    return float(accuracy), float(cross_entropy(log_probabilities, labels).mean())


def prediction_table(domain: Domain, key: dict, log_probabilities: np.ndarray) -> pd.DataFrame:
    """A row of `PREDICTIONS` for each of the domain's test images, of the log-probabilities (N, K) of one probe.

    Args:
        key: domain, layer, head, pretraining_seed and seed, in this order.
    """
    test = domain.images["test"]
    columns = key | {
        "image": test.names,
        "label": domain.classes[test.labels],
        "predicted": domain.classes[log_probabilities.argmax(axis=1)],
        "top5": top_k_hits(log_probabilities, test.labels, 5).astype(int),
        "loss": cross_entropy(log_probabilities, test.labels).astype(np.float64),
    }
    return pd.DataFrame(columns)
