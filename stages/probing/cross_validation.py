"""Cross-validated accuracy of a layer's ridge probe over probe and validation images; it selects the best layer.

Validation images alone are few: the estimate from both subsets is less noisy. Stratified k-fold, the same folds for
every representation and layer (scikit-learn's `StratifiedKFold`, seeded). The ridge probe is fitted to one-hot labels;
its alpha is selected within the training part of each fold by the leave-one-out squared error, in closed form
(`RidgeCV`, or with more images than features `stages.probing.leave_one_out`). Features are standardised on the training
part.

Settings that matter:
    probe.folds             k; at most the labels of the rarest class, at least 2
    probe.ridge_alphas      regularisation strengths to choose from
"""

import warnings

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold

from stages.classifiers.standardization import standardise_vectors, vector_stats
from stages.probing.leave_one_out import fit_ridge_by_leave_one_out


def cross_validated_accuracy(
    vectors: np.ndarray, labels: np.ndarray, alphas: list[float], folds: int, seed: tuple[int, ...]
) -> float:
    """Mean accuracy, in [0, 1], of probes on the fold that each was not fitted to.

    Args:
        vectors: (N, D) float32, not standardised.
        labels: (N,) int64 from 0; some class has 2 or more.
        alphas: above 0.
        folds: k.
        seed: of the folds; the same labels and the same seed give the same folds.
    """
    counts = np.bincount(labels)
    splits = max(2, min(folds, int(counts[counts > 0].min())))
    random_state = int(np.random.SeedSequence(seed).generate_state(1)[0])
    kfold = StratifiedKFold(splits, shuffle=True, random_state=random_state)
    targets, hits = np.eye(len(counts))[labels], np.empty(len(labels), bool)
    with warnings.catch_warnings():
        # A class of one image is in one fold: it is classified wrongly there, which is right.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = list(kfold.split(vectors, labels))
    for train, held_out in parts:
        stats = vector_stats(vectors[train])
        fitted = standardise_vectors(vectors[train], stats)
        if len(fitted) > fitted.shape[1]:
            weights, bias = fit_ridge_by_leave_one_out(fitted, targets[train], alphas)
        else:  # RidgeCV decomposes N x N
            ridge = RidgeCV(alphas).fit(fitted, targets[train])
            weights, bias = ridge.coef_.T, ridge.intercept_
        scores = standardise_vectors(vectors[held_out], stats) @ weights + bias
        hits[held_out] = scores.argmax(axis=1) == labels[held_out]
    return float(hits.mean())
