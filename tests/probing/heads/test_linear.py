import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stages.features.pooling import pool_positions
from stages.probing.heads.linear import fit_linear_probe, linear_log_probabilities


def task(images: int = 60, classes: int = 3, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    features = rng.normal(size=(images, 2, 2, 8, 8)) + labels[:, None, None, None, None] * 0.3
    return features.astype(np.float16), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_scikit_learn_s_regression_on_images_and_mirror_images(classes):
    features, labels = task(classes=classes)
    pooled = pool_positions(features, 2)
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    reference.fit(np.concatenate((pooled[:, 0], pooled[:, 1])).astype(float), np.concatenate((labels, labels)))
    expected = reference.predict_log_proba(pooled[:, 0].astype(float))
    found = linear_log_probabilities(fit_linear_probe(pooled, labels, 0.1), pooled)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_the_same_inputs_give_the_same_bytes():
    features, labels = task()
    pooled = pool_positions(features, 4)
    first, second = (linear_log_probabilities(fit_linear_probe(pooled, labels, 1.0), pooled) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_scale_and_offset_of_a_channel_do_not_matter():
    features, labels = task()
    pooled = pool_positions(features, 2)
    first, second = (
        linear_log_probabilities(fit_linear_probe(values, labels, 1.0), values) for values in (pooled, 50 * pooled + 7)
    )
    np.testing.assert_allclose(first, second, atol=0.01)


def test_sure_mistakes_have_a_finite_loss():
    features, labels = task()
    pooled = pool_positions(features, 2)
    found = linear_log_probabilities(fit_linear_probe(pooled, labels, 10.0), pooled * 1e5)
    assert np.isfinite(found).all()
