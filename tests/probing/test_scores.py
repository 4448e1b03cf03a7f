import numpy as np
import pytest

from stages.probing.scores import accuracy_and_loss, cross_entropy, top_k_hits


def test_scores_of_three_images():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2]])
    labels = np.array([0, 2, 2])
    accuracy, loss = accuracy_and_loss(np.log(probabilities), labels)
    assert accuracy == pytest.approx(1 / 3)
    assert loss == pytest.approx(-np.log([0.7, 0.3, 0.2]).mean())
    np.testing.assert_allclose(cross_entropy(np.log(probabilities), labels), -np.log([0.7, 0.3, 0.2]))
    assert top_k_hits(np.log(probabilities), labels, 2).tolist() == [True, True, False]
    assert top_k_hits(np.log(probabilities), labels, 5).all()


def test_the_first_of_the_top_k_is_the_prediction_even_among_equals():
    scores = np.log(np.full((4, 6), 1 / 6))
    labels = np.array([0, 1, 4, 5])
    assert top_k_hits(scores, labels, 1).tolist() == (scores.argmax(axis=1) == labels).tolist()
    assert top_k_hits(scores, labels, 5).tolist() == [True, True, True, False]
