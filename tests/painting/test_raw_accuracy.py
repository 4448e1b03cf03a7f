import numpy as np
import pytest
import torch

from stages.painting.raw_accuracy import accuracy_curve, area_under_curve, distance_histograms


def colors(*pixels: tuple[float, float]) -> torch.Tensor:
    """One image, one row of (a, b) pixels: (1, 2, 1, N)."""
    return torch.tensor(pixels, dtype=torch.float32).T.reshape(1, 2, 1, len(pixels))


def curve(painted, truth, weights=None):
    return accuracy_curve(distance_histograms(painted, truth, weights))[0]


def test_two_pixels_by_hand():
    # Distances 5 (3-4-5) and 50: half of the pixels are within 5, all within 50.
    accuracy = curve(colors((3, 4), (30, -40)), colors((0, 0), (0, 0)))
    assert accuracy[[0, 4, 5, 49, 50, 150]].tolist() == [0, 0, 0.5, 0.5, 1, 1]
    # The curve rises in the step before a threshold: (145.5 + 100.5) / 2 of 150.
    assert area_under_curve(accuracy) == pytest.approx(0.82)


def test_two_pixels_rebalanced_by_hand():
    # The nearer one's colour is three times as common: it weighs 1, the other 3.
    accuracy = curve(colors((3, 4), (30, -40)), colors((0, 0), (0, 0)), np.array([[[1.0, 3.0]]]))
    assert accuracy[[4, 5, 49, 50]].tolist() == [0, 0.25, 0.25, 1]
    assert area_under_curve(accuracy) == pytest.approx((145.5 + 3 * 100.5) / 4 / 150)


def test_the_truth_scores_1_and_what_is_further_than_150_scores_0():
    truth = colors((100, 0), (100, 0))
    assert area_under_curve(curve(truth, truth)) == 1
    assert area_under_curve(curve(colors((-51, 0), (-80, 40)), truth)) == 0
    assert curve(colors((-50, 0), (-51, 0)), truth)[149:].tolist() == [0, 0.5]


def test_histograms_add_up_to_the_histogram_of_all_pixels():
    generator = torch.Generator().manual_seed(0)
    painted, truth = (200 * torch.rand(4, 2, 6, 5, generator=generator) - 100 for _ in range(2))
    weights = np.random.default_rng(0).random((4, 6, 5))
    pooled = distance_histograms(painted, truth, weights).sum(axis=0)
    row = [images.transpose(0, 1).reshape(1, 2, 1, -1) for images in (painted, truth)]
    np.testing.assert_allclose(pooled, distance_histograms(*row, weights.reshape(1, 1, -1))[0])
    assert pooled.sum() == pytest.approx(weights.sum())
