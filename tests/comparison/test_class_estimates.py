import numpy as np
import pytest

from stages.comparison.class_estimates import class_groups, class_values
from stages.comparison.estimates import bootstrap_estimates


def estimate(hits, classes, resamples=300, seed=0):
    return bootstrap_estimates({("a",): hits}, classes, resamples=resamples, seed=[seed, 0])["a",]


def test_three_classes_of_two_images_worked_out_by_hand():
    # Classes' means 1, 1/2, 0: variance 1/4, over 3 classes 1/12. Images: only the second class varies, by 1/2, so that
    # their part is 2 * 1/2 / 6^2 = 1/36.
    found = estimate(np.array([[[1, 1, 1, 0, 0, 0]]], np.uint8), np.array(list("aabbcc")), resamples=20_000)
    assert found.over_classes.standard_error() == (pytest.approx(np.sqrt(1 / 12)), 2)
    assert found.over_classes.deviations().var() == pytest.approx(1 / 12, rel=0.05)


def test_classes_that_differ_no_more_than_their_images_add_nothing():
    # Both means are 1/2, and each class's variance is 1/3: 4 * 1/3 * 2 / 8^2 = 1/24. Two classes: a degree of freedom.
    found = estimate(np.array([[[1, 0, 1, 0, 0, 1, 1, 0]]], np.uint8), np.arange(8) // 4, resamples=20_000)
    assert found.over_classes.standard_error() == (pytest.approx(np.sqrt(1 / 24)), 1)
    assert found.over_classes.deviations().var() == pytest.approx(1 / 24, rel=0.05)


def test_a_class_counts_by_its_size():
    # Mean 3/4 of 4 images. a: 3/4 + 2 * 1/4 * (0 - 3/4) = 3/8; b: 3/4 + 2 * 3/4 * (1 - 3/4) = 9/8.
    values = class_values(np.array([1.0, 1, 0, 1]), class_groups(np.array(list("bbab"))))
    np.testing.assert_allclose(values, [3 / 8, 9 / 8])
    np.testing.assert_allclose(class_values(np.array([[1.0, 0, 0, 1]]), class_groups(np.array([0, 1, 1, 0]))), [[1, 0]])


def test_a_difference_that_is_the_same_in_all_classes_has_no_width():
    hits = np.zeros((1, 1, 40), np.uint8)
    found = bootstrap_estimates({("a",): hits + 1, ("b",): hits}, np.arange(40) % 5, resamples=200, seed=[0, 0])
    assert (found["a",] - found["b",]).interval_over_classes()[:4] == (1, 1, 1, 0)


def test_intervals_hold_another_choice_of_classes_and_those_over_images_alone_do_not():
    """Easy and hard classes, and a seed that is good at some: 12 classes of 20 images, 3 seeds, 250 studies."""
    rng, studies, count, images = np.random.default_rng(0), 250, 12, 20
    classes, covered = np.repeat(np.arange(count), images), np.zeros((2, studies))
    for study in range(studies):
        chance = 0.5 + 0.15 * rng.choice([-1, 1], (1, count)) + 0.15 * rng.choice([-1, 1], (3, count))
        hits = (rng.random((3, count * images)) < np.repeat(chance, images, axis=1)).astype(np.uint8)
        found = estimate(hits[None], classes, resamples=200, seed=study)
        for row, interval in enumerate((found.interval_over_classes(), found.interval())):
            covered[row, study] = interval.low <= 0.5 <= interval.high
    over_classes, over_images = covered.mean(axis=1)
    # Two standard errors of a share of 250 that is 0.95 in truth: 0.028.
    assert 0.92 <= over_classes <= 0.985
    assert over_images < 0.85
