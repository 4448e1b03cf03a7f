import math

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb

from stages.color.lab import decode_lab8
from stages.pretext.losses import open_lpips
from stages.pretext.pictures import one_of_each_class, picture_grid
from stages.pretext.quality import colorization_quality, mean_ab, summary

CPU = torch.device("cpu")


def constant(lightness: int, a: int, b: int, count: int = 1) -> np.ndarray:
    return np.tile(np.array([lightness, a, b], dtype=np.uint8).reshape(1, 3, 1, 1), (count, 1, 32, 32))


@pytest.fixture(scope="module")
def metric():
    return open_lpips("alex", "random", "evaluate")


def test_scores_by_hand(metric):
    array = constant(128, 128 + 30, 128 - 40)
    scores = colorization_quality(lambda lab: torch.zeros_like(lab[:, 1:]), array, metric, CPU)
    assert scores["ab_rmse"][0] == pytest.approx(50)  # the 3-4-5 triangle
    lab = decode_lab8(array)[0, :, 0, 0]
    truth, grey = (lab2rgb(color.reshape(1, 1, 3)) for color in (lab, lab * [1, 0, 0]))
    assert scores["psnr"][0] == pytest.approx(10 * math.log10(1 / ((truth - grey) ** 2).mean()), abs=1e-3)


def test_a_perfect_painting(metric):
    array = np.random.default_rng(0).integers(100, 150, (3, 3, 32, 32), dtype=np.uint8)
    scores = colorization_quality(lambda lab: lab[:, 1:], array, metric, CPU)
    assert scores["ab_rmse"].max() == 0
    assert np.abs(scores["lpips"]).max() < 1e-6
    assert scores["psnr"] == pytest.approx(20 * math.log10(255) + 10 * math.log10(12))


def test_a_grey_photograph_painted_grey_has_a_finite_score(metric):
    scores = colorization_quality(lambda lab: torch.zeros_like(lab[:, 1:]), constant(77, 128, 128), metric, CPU)
    assert np.isfinite(scores["psnr"]).all()


def test_means_are_over_the_images_asked_for():
    scores = {"psnr": np.array([1.0, 2.0, 6.0])}
    assert summary(scores, np.array([True, False, True])) == {"psnr": 3.5}
    with pytest.raises(ValueError, match="finite"):
        summary({"psnr": np.array([np.nan])}, np.array([True]))


def test_mean_ab():
    array = np.concatenate((constant(9, 138, 120), constant(9, 128, 100)))
    assert mean_ab(array) == (5.0, -18.0)


def test_a_grid_has_a_row_a_kind_and_a_column_an_image():
    lab = decode_lab8(np.concatenate((constant(128, 200, 128), constant(128, 128, 200))))
    grid = np.asarray(picture_grid(lab, np.zeros((2, 2, 32, 32), dtype=np.float32)))
    assert grid.shape == (3 * 132, 2 * 132, 3)
    cells = grid[64::132, 64::132]
    assert (cells[0] == cells[2]).all()  # lightness alone, and painted grey
    assert (np.ptp(cells[0], axis=-1) <= 1).all()
    assert cells[1, 0, 0] > cells[1, 0, 1] + 50  # a > 0: red
    assert cells[1, 1, 0] > cells[1, 1, 2] + 50  # b > 0: yellow


def test_pictures_are_of_different_classes():
    labels = np.array([2, 0, 0, 1, 3, 3, 2])
    assert one_of_each_class(labels, 8).tolist() == [1, 3, 0, 4]
    assert one_of_each_class(labels, 2).tolist() == [1, 4]
