import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from stages.probing.few_shot import draw_images, fit_few_shot
from stages.probing.heads.ridge import ridge_scores
from tests.probing.settings import settings

LABELS = np.random.default_rng(3).permutation(np.repeat([0, 1, 2], [9, 12, 30]))


def task(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    values = np.random.default_rng(seed).normal(size=(len(labels), 10))
    values[np.arange(len(labels)), labels] += 2
    return values.astype(np.float32), labels


def few_shot(train, validation, seed=(0, 0), **changes):
    return fit_few_shot(train, validation, 3, settings(**changes), seed)


@pytest.mark.parametrize("shots", [1, 5, 9])
def test_every_class_has_exactly_its_shots_and_no_image_is_drawn_twice(shots):
    drawn = draw_images(LABELS, shots, (0, 0, shots, 0))
    assert np.bincount(LABELS[drawn]).tolist() == [shots] * 3
    assert (np.diff(drawn) > 0).all()


def test_draws_differ_by_each_part_of_the_seed_and_are_the_same_again():
    seeds = [(0, 0, 5, 0), (1, 0, 5, 0), (0, 1, 5, 0), (0, 0, 5, 1)]
    drawn = [tuple(draw_images(LABELS, 5, seed)) for seed in seeds]
    assert len(set(drawn)) == 4
    assert drawn == [tuple(draw_images(LABELS, 5, seed)) for seed in seeds]


def test_over_many_draws_every_image_of_a_class_has_the_same_chance():
    drawn = np.concatenate([draw_images(LABELS, 3, (0, 0, 3, number)) for number in range(3000)])
    share = np.bincount(drawn, minlength=len(LABELS)) / 3000
    np.testing.assert_allclose(share, 3 / np.bincount(LABELS)[LABELS], atol=0.04)


def test_a_draw_is_ridge_regression_on_its_images_with_the_alpha_that_is_best_on_validation():
    train, validation = task(LABELS, 0), task(np.arange(60) % 3, 1)
    alphas = [1e-6, 10.0, 1e3]
    (draw,) = few_shot(train, validation, shots=[5], draws=1, ridge_alphas=alphas, seed=(7, 1))
    drawn = draw_images(LABELS, 5, (7, 1, 5, 0))
    scores = [
        RidgeClassifier(alpha=alpha).fit(train[0][drawn].astype(float), LABELS[drawn]).score(*validation)
        for alpha in alphas
    ]
    assert (draw.shots, draw.labels, draw.draw) == (5, 5.0, 0)
    assert draw.validation_accuracy == pytest.approx(max(scores))
    assert scores[alphas.index(draw.alpha)] == max(scores)
    (found,) = ridge_scores([draw.probe], validation[0])
    assert (found.argmax(axis=1) == validation[1]).mean() == draw.validation_accuracy


def test_more_labels_help_and_shots_come_in_order_without_those_that_the_smallest_class_cannot_give():
    draws = few_shot(task(LABELS, 0), task(np.arange(90) % 3, 1), shots=[9, 1, 10, 30], draws=4)
    assert [(draw.shots, draw.draw) for draw in draws] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
        (9, 0),
        (9, 1),
        (9, 2),
        (9, 3),
    ]
    accuracies = np.array([draw.validation_accuracy for draw in draws])
    assert accuracies[:4].mean() + 0.1 < accuracies[4:].mean()


def test_what_images_are_drawn_does_not_depend_on_the_features():
    validation = task(np.arange(30) % 3, 1)
    first, _ = task(LABELS, 0)
    other = np.random.default_rng(5).normal(size=(len(LABELS), 33)).astype(np.float32)
    # Of features that are an image's number, a probe of one label a class can only have seen the numbers drawn.
    drawn = draw_images(LABELS, 1, (0, 0, 1, 0))
    for features in (first, other):
        kept = np.zeros_like(features)
        kept[drawn] = features[drawn]
        probes = [
            few_shot((values, LABELS), (values[:30], validation[1]), shots=[1], draws=1, ridge_alphas=[1.0])[0].probe
            for values in (features, kept)
        ]
        np.testing.assert_array_equal(probes[0].weights, probes[1].weights)


def test_no_shots_no_draws():
    assert few_shot(task(LABELS, 0), task(np.arange(30) % 3, 1), shots=[]) == []
