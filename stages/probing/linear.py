"""The linear probe: multinomial logistic regression on pooled features.

What a linear layer can read off a representation: the test that Zhang et al. put colourisation to (Colorful
Image Colorization, arXiv 1603.08511; Split-Brain Autoencoders, 1611.09842), who also bring the maps to one
size first. The problem is convex and the solver draws nothing, so one fit stands for every seed.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

MAX_ITERATIONS = 2000


def fit_linear_probe(pooled: np.ndarray, labels: np.ndarray, c: float) -> Pipeline:
    """Fit on every view of every image.

    Features are standardised once more, each by itself: pooling shrinks a channel the more, the faster it
    varies in space, and `c` must mean the same for every representation.

    Args:
        pooled: (N, V, D) float32.
        labels: (N,) int64, every class of 0..K-1 among them.
        c: inverse regularisation, as in `sklearn.linear_model.LogisticRegression`.
    """
    images, views, _ = pooled.shape
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=MAX_ITERATIONS))
    return probe.fit(pooled.reshape(images * views, -1).astype(np.float64), np.repeat(labels, views))


def linear_log_probabilities(probe: Pipeline, pooled: np.ndarray) -> np.ndarray:
    """Log-probabilities (N, K) float64, finite, of view 0 of pooled features (N, V, D)."""
    probabilities = probe.predict_proba(pooled[:, 0].astype(np.float64))
    return np.log(np.clip(probabilities, np.finfo(np.float64).tiny, None))
