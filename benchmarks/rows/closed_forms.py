"""Few-shot ridge and k-NN over all test images of the full study."""

import statistics

import numpy as np
import torch

from benchmarks.limits import matmul_rate
from benchmarks.measure import Row, Scale, in_turns
from benchmarks.models import study
from stages.probing.heads.knn import fit_knn_probe, knn_log_probabilities
from stages.probing.heads.ridge import fit_ridge, ridge_scores

CLASSES, FEATURES = 81, 4096


def measure(scale: Scale) -> list[Row]:
    params = study().probe
    labelled, tested = scale.size(6075, 162), scale.size(25_000, 200)
    width = scale.size(FEATURES, 64)
    rng = np.random.default_rng(0)
    train, test = (rng.standard_normal((count, width), dtype=np.float32) for count in (labelled, tested))
    labels = np.arange(labelled, dtype=np.int64) % CLASSES

    def ridge():
        ridge_scores(fit_ridge(train, labels, CLASSES, params.ridge_alphas), test)

    def solve_each():
        """The normal equations, solved once for each strength."""
        targets = np.eye(CLASSES)[labels] - 1 / CLASSES
        mean = train.mean(axis=0, dtype=np.float64)
        centred = train - mean
        gram, right = centred.T @ centred, centred.T @ targets
        for alpha in params.ridge_alphas:
            (test - mean) @ np.linalg.solve(gram + alpha * np.eye(width), right)

    def knn():
        probe = fit_knn_probe(train[:, None], labels, CLASSES, params.knn_temperature)
        knn_log_probabilities(probe, test[:, None], params.knn_k)

    def one_by_one():
        """A tenth of the images, each against all by itself, for each k."""
        unit = train / np.linalg.norm(train, axis=1, keepdims=True)
        for image in test[: tested // 10]:
            for k in params.knn_k:
                similarity = unit @ (image / np.linalg.norm(image))
                nearest = np.argsort(-similarity)[:k]
                np.bincount(labels[nearest], np.exp(similarity[nearest] / params.knn_temperature), CLASSES)

    rate = matmul_rate("float32", torch.device("cpu"), quick=scale.quick)
    product = 2 * labelled * tested * width / rate
    fits = in_turns(ridge, solve_each, scale.repeats)
    found, others = in_turns(knn, one_by_one, scale.repeats)
    size = f"{labelled} labelled and {tested} test images, {width} features, {CLASSES} classes"
    return [
        Row(f"ridge, {len(params.ridge_alphas)} strengths", "seconds", "s", *fits, higher=False, note=size),
        Row(
            f"k-NN, {len(params.knn_k)} sizes", "seconds", "s", found, [10 * each for each in others], higher=False,
            limit=f"the product of all pairs, {product:.2f} s", share=product / statistics.median(found),
            note=f"{size}; the straightforward way on a tenth of them, times ten",
        ),
    ]  # fmt: skip
