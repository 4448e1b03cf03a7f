"""Linear probe: multinomial logistic regression on pooled features.

The test that Zhang et al. put colourisation to (Colorful Image Colorization, arXiv 1603.08511; Split-Brain
Autoencoders, 1611.09842), who also pool all layers to one size. Trained on probe images and their mirror images. C is
selected on validation images. The problem is convex and the solver draws nothing: one fit stands for every seed.

Settings that matter:
    probe.linear_grid       maps are average-pooled to this many positions an axis
    probe.linear_c          inverse regularisation strengths to select from
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from stages.probing.head import FittedHead, Trial, select_hyperparameter
from stages.probing.layer_features import LayerFeatures
from stages.probing.scores import accuracy_and_loss
from stages.probing.source import ProbeRun
from stages.runtime.schema import Probe

MAX_ITERATIONS = 2000


def fit(run: ProbeRun, train: LayerFeatures, validation: LayerFeatures) -> FittedHead:
    """Fit a probe for each C and keep the best."""
    values = run.settings.linear_c
    probes = [fit_linear_probe(train.pooled, train.labels, c) for c in values]
    trials = [
        Trial(c, *accuracy_and_loss(linear_log_probabilities(probe, validation.pooled), validation.labels))
        for c, probe in zip(values, probes, strict=True)
    ]
    best = select_hyperparameter(trials, "linear_c")
    return FittedHead((probes[best],), "c", tuple(trials), best)


def predict(probe: Pipeline, features: LayerFeatures, settings: Probe) -> np.ndarray:
    """Log-probabilities (N, K) float64: the softmax of the logits, of images without their mirror images."""
    return linear_log_probabilities(probe, features.pooled)


def fit_linear_probe(pooled: np.ndarray, labels: np.ndarray, c: float) -> Pipeline:
    """Fit on every view of every image.

    Features are standardised once more after pooling, which shrinks the variance of a channel the more, the faster the
    channel varies in space: `c` must mean the same for every representation.

    Args:
        pooled: (N, V, D) float32.
        labels: (N,) int64, every class of 0..K-1 among them.
        c: inverse regularisation strength, as in `sklearn.linear_model.LogisticRegression`.
    """
    images, views, _ = pooled.shape
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=MAX_ITERATIONS))
    return probe.fit(pooled.reshape(images * views, -1).astype(np.float64), np.repeat(labels, views))


def linear_log_probabilities(probe: Pipeline, pooled: np.ndarray) -> np.ndarray:
    """Log-probabilities (N, K) float64, finite, of view 0 of pooled features (N, V, D)."""
    probabilities = probe.predict_proba(pooled[:, 0].astype(np.float64))
    return np.log(np.clip(probabilities, np.finfo(np.float64).tiny, None))
