import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifier

from stages.probing.heads import ridge as ridge_probe
from stages.probing.heads.ridge import (
    TEMPERATURES,
    RidgeProbe,
    calibrate,
    calibrate_all,
    fit_ridge,
    ridge_log_probabilities,
    ridge_scores,
)
from stages.probing.scores import cross_entropy

ALPHAS = [1e-3, 0.1, 1.0, 10.0, 1e3, 1e5]


def task(images: int, dimension: int, seed: int = 0, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Features of many scales, as deep features are, and off centre."""
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    mixing = np.random.default_rng(9).normal(size=(dimension, dimension)) * np.geomspace(3, 1e-2, dimension)[:, None]
    centres = np.random.default_rng(8).normal(size=(classes, dimension))
    return (rng.normal(size=(images, dimension)) @ mixing + centres[labels] + 2).astype(np.float32), labels


@pytest.mark.parametrize(("images", "dimension"), [(90, 20), (20, 90), (40, 40), (21, 20), (20, 21)])
def test_it_is_scikit_learn_s_ridge_for_every_alpha_with_more_images_than_features_and_with_fewer(images, dimension):
    train, labels = task(images, dimension)
    queries, _ = task(50, dimension, seed=1)
    probes = fit_ridge(train, labels, 4, ALPHAS)
    for alpha, probe, scores in zip(ALPHAS, probes, ridge_scores(probes, queries), strict=True):
        reference = Ridge(alpha=alpha, solver="svd").fit(train.astype(float), np.eye(4)[labels])
        np.testing.assert_allclose(probe.weights, reference.coef_.T, atol=1e-5)
        np.testing.assert_allclose(scores, reference.predict(queries.astype(float)), atol=1e-4)


@pytest.mark.parametrize(("images", "dimension"), [(90, 20), (20, 90)])
def test_it_predicts_what_scikit_learn_s_ridge_classifier_predicts(images, dimension):
    train, labels = task(images, dimension)
    queries, _ = task(200, dimension, seed=1)
    probes = fit_ridge(train, labels, 4, ALPHAS)
    for alpha, scores in zip(ALPHAS, ridge_scores(probes, queries), strict=True):
        reference = RidgeClassifier(alpha=alpha).fit(train.astype(float), labels)
        assert (scores.argmax(axis=1) == reference.predict(queries.astype(float))).all()


def test_one_feature_one_image_a_class_by_hand():
    # x = -1, 1 for classes 0, 1: X'X = 2, X'Y = (-1, 1), so that W = (-1, 1) / (2 + alpha), and the mean of y is 1/2.
    (probe,) = fit_ridge(np.array([[-1.0], [1.0]], dtype=np.float32), np.array([0, 1]), 2, [2.0])
    np.testing.assert_allclose(probe.weights, [[-0.25, 0.25]])
    np.testing.assert_allclose(ridge_scores([probe], np.array([[3.0]], dtype=np.float32))[0], [[-0.25, 1.25]])


@pytest.mark.parametrize(("images", "dimension"), [(90, 20), (20, 90)])
def test_chunks_do_not_show(images, dimension, monkeypatch):
    train, labels = task(images, dimension)
    (whole,) = fit_ridge(train, labels, 4, [1.0])
    monkeypatch.setattr(ridge_probe, "CHUNK_VALUES", 300)
    (parts,) = fit_ridge(train, labels, 4, [1.0])
    np.testing.assert_allclose(parts.weights, whole.weights, atol=1e-6)
    np.testing.assert_allclose(parts.bias, whole.bias, atol=1e-6)


@pytest.mark.parametrize(("images", "dimension"), [(90, 20), (20, 90)])
def test_the_same_inputs_give_the_same_bytes_and_are_left_alone(images, dimension):
    train, labels = task(images, dimension)
    before = train.copy()
    first, second = (fit_ridge(train, labels, 4, ALPHAS) for _ in range(2))
    assert all(a.weights.tobytes() == b.weights.tobytes() for a, b in zip(first, second, strict=True))
    np.testing.assert_array_equal(train, before)


def test_scores_estimate_probabilities_and_sum_to_one():
    train, labels = task(90, 20)
    for scores in ridge_scores(fit_ridge(train, labels, 4, ALPHAS), task(50, 20, seed=1)[0]):
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-4)


def test_with_all_the_regularisation_in_the_world_a_score_is_the_share_of_the_class():
    train, labels = task(90, 20)
    labels[:45] = 3
    (scores,) = ridge_scores(fit_ridge(train, labels, 4, [1e12]), train)
    np.testing.assert_allclose(scores, np.tile(np.bincount(labels) / 90, (90, 1)), atol=1e-5)


def test_the_temperature_has_the_lowest_loss_and_leaves_the_order_of_the_classes():
    labels = np.array([0, 1, 1, 1])
    sure = np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]], dtype=np.float32)
    wrong = sure[::-1]
    probe = RidgeProbe(np.zeros((1, 2)), np.zeros(2))
    right, accuracy, loss = calibrate(probe, sure, labels)
    # All are right: the surer the better. Half are wrong: the least sure there is.
    assert accuracy == 1 and loss == pytest.approx(0, abs=1e-3) and right.temperature < 0.1
    assert calibrate(probe, wrong, labels)[0].temperature == TEMPERATURES[0]
    for temperature in TEMPERATURES:
        found = ridge_log_probabilities(sure, temperature)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)
        assert (found.argmax(axis=1) == sure.argmax(axis=1)).all()


def test_trials_report_their_own_probe_s_scores_on_the_validation_images():
    (train, labels), (queries, query_labels) = task(51, 10), task(60, 10, seed=1)
    alphas = [0.1, 1e4]
    probes, trials = calibrate_all(fit_ridge(train, labels, 4, alphas), alphas, queries, query_labels)
    assert [trial.value for trial in trials] == [0.1, 1e4]
    for probe, trial in zip(probes, trials, strict=True):
        (scores,) = ridge_scores([probe], queries)
        assert trial.accuracy == (scores.argmax(axis=1) == query_labels).mean()
        log_probabilities = ridge_log_probabilities(scores, probe.temperature)
        assert trial.loss == pytest.approx(cross_entropy(log_probabilities, query_labels).mean())
