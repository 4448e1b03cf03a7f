import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from stages.probing import leave_one_out
from stages.probing.leave_one_out import fit_ridge_by_leave_one_out


def task(images: int, dimension: int, signal: float = 0.5, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels, means = np.arange(images) % classes, rng.normal(size=(classes, dimension))
    return (rng.normal(size=(images, dimension)) + signal * means[labels] + 3).astype(np.float32), np.eye(classes)[
        labels
    ]


@pytest.mark.parametrize("part_values", [7, 300, 8_000_000])
@pytest.mark.parametrize("signal, selected", [(0.0, 1e4), (1.0, 1.0)])
def test_it_is_scikit_learn_s_ridge_cv(signal, selected, part_values, monkeypatch):
    monkeypatch.setattr(leave_one_out, "PART_VALUES", part_values)
    (features, targets), alphas = task(90, 7, signal), [1e-2, 1.0, 1e2, 1e4]
    features[:, 3] = 2  # a feature without variance: the matrix to decompose is singular
    reference = RidgeCV(alphas).fit(features, targets)
    assert reference.alpha_ == selected
    weights, bias = fit_ridge_by_leave_one_out(features, targets, alphas)
    np.testing.assert_allclose(weights, reference.coef_.T, atol=1e-6)
    np.testing.assert_allclose(bias, reference.intercept_, atol=1e-6)


def test_memory_does_not_grow_with_the_number_of_images(monkeypatch):
    monkeypatch.setattr(leave_one_out, "PART_VALUES", 20_000)
    peaks = []
    for images in (2000, 8000):
        features, targets = task(images, 50)
        tracemalloc.start()
        fit_ridge_by_leave_one_out(features, targets, [1.0, 10.0])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
