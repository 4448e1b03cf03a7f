import math

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb

from stages.color.lab import decode_lab8
from stages.losses.perceptual import open_lpips
from stages.painting.quality import BATCH, Metrics, colorization_quality
from stages.runtime.errors import StageError

CPU = torch.device("cpu")
PAINTERS = {"perfect": lambda lab: lab[:, 1:], "grey": lambda lab: torch.zeros_like(lab[:, 1:])}


def constant(lightness: int, a: int, b: int, count: int = 1) -> np.ndarray:
    return np.tile(np.array([lightness, a, b], dtype=np.uint8).reshape(1, 3, 1, 1), (count, 1, 32, 32))


def redness(lab8: np.ndarray) -> np.ndarray:
    """Stands for a probe: says 1 of images that are red on the whole."""
    return (lab8[:, 1].mean(axis=(1, 2)) > 140).astype(np.int64)


@pytest.fixture(scope="module")
def metric():
    return open_lpips("alex", "random", "evaluate")


def quality_of(metric, array, labels=None, rarity=None, painters=PAINTERS, recognise=redness):
    labels = np.zeros(len(array), int) if labels is None else labels
    metrics = Metrics(metric, np.ones((256, 256)) if rarity is None else rarity, recognise)
    return colorization_quality(painters, array, np.arange(len(array)), labels, metrics, CPU)


def test_scores_by_hand(metric):
    array = constant(128, 128 + 30, 128 - 40)
    scores = quality_of(metric, array)["grey"].scores
    assert scores["ab_rmse"][0] == pytest.approx(50)  # the 3-4-5 triangle
    assert scores["auc"][0] == scores["auc_rebalanced"][0] == pytest.approx(100.5 / 150)
    lab = decode_lab8(array)[0, :, 0, 0]
    truth, grey = (lab2rgb(color.reshape(1, 1, 3)) for color in (lab, lab * [1, 0, 0]))
    assert scores["psnr"][0] == pytest.approx(10 * math.log10(1 / ((truth - grey) ** 2).mean()), abs=1e-3)
    # Flat images have no structure: what is left of SSIM is its comparison of means, with C1 = 0.01^2.
    means = (2 * truth * grey + 1e-4) / (truth**2 + grey**2 + 1e-4)
    assert scores["ssim"][0] == pytest.approx(means.mean(), abs=1e-3)
    red, green, blue = 255 * truth[0, 0]
    assert scores["colorfulness_true"][0] == pytest.approx(
        0.3 * math.hypot(red - green, (red + green) / 2 - blue), abs=0.02
    )
    assert scores["colorfulness_painted"][0] == pytest.approx(0, abs=0.02)


def test_a_perfect_painting(metric):
    array = np.random.default_rng(0).integers(100, 150, (3, 3, 32, 32), dtype=np.uint8)
    scores = quality_of(metric, array)["perfect"].scores
    assert scores["ab_rmse"].max() == 0
    assert np.abs(scores["lpips"]).max() < 1e-6
    assert scores["psnr"] == pytest.approx(20 * math.log10(255) + 10 * math.log10(12))
    assert scores["ssim"].tolist() == scores["auc"].tolist() == scores["auc_rebalanced"].tolist() == [1, 1, 1]
    assert scores["colorfulness_painted"].tolist() == scores["colorfulness_true"].tolist()
    assert scores["probe_correct_painted"].tolist() == scores["probe_correct_true"].tolist()


def test_a_grey_photograph_painted_grey_has_a_finite_score(metric):
    scores = quality_of(metric, constant(77, 128, 128))["grey"].scores
    assert all(np.isfinite(values).all() for values in scores.values())


def test_the_probe_looks_at_what_was_painted(metric):
    array, labels = np.concatenate((constant(128, 200, 128), constant(128, 128, 128))), np.array([1, 0])
    quality = quality_of(metric, array, labels)
    assert quality["grey"].scores["probe_correct_true"].tolist() == [1, 1]
    assert quality["grey"].scores["probe_correct_painted"].tolist() == [0, 1]
    assert quality["perfect"].scores["probe_correct_painted"].tolist() == [1, 1]


def test_rare_colors_weigh_more_within_an_image_and_over_all(metric):
    """Half of the pixels are grey and painted right; the others are 50 off, and weigh three times as much."""
    array = constant(128, 128, 128, 2)
    array[:, 1, :16] = 128 + 50
    rarity = np.ones((256, 256))
    rarity[128 + 50, 128] = 3
    quality = quality_of(metric, array, rarity=rarity)["grey"]
    assert quality.scores["auc"] == pytest.approx([(150 + 100.5) / 2 / 150] * 2)
    assert quality.scores["auc_rebalanced"] == pytest.approx([(150 + 3 * 100.5) / 4 / 150] * 2)
    assert quality.histograms[:, [0, 50]].tolist() == [[1024, 1024], [1024, 3072]]


def test_what_was_painted_is_summed_up(metric):
    array = constant(128, 128, 128)
    array[0, 1, :16], array[0, 2, :16] = 128 + 6, 128 + 8
    scores = quality_of(metric, array)["perfect"].scores
    assert [scores[name][0] for name in ("a_painted", "b_painted", "spread_painted")] == [3, 4, 5]


def test_each_truth_is_looked_at_once_whatever_the_number_of_painters_and_batches(metric):
    seen = []

    def recognise(lab8):
        seen.append(len(lab8))
        return redness(lab8)

    array = np.random.default_rng(0).integers(100, 150, (BATCH + 1, 3, 32, 32), dtype=np.uint8)
    quality = quality_of(metric, array, recognise=recognise)
    assert seen == [BATCH] * 3 + [1] * 3  # the truth, and two painters'
    alone = quality_of(metric, array[-1:])
    for name, each in quality.items():
        assert {key: len(values) for key, values in each.scores.items()} == dict.fromkeys(each.scores, BATCH + 1)
        for key, values in each.scores.items():
            assert values[-1] == pytest.approx(alone[name].scores[key][0], rel=1e-5, abs=1e-6)


def test_a_painter_that_diverged_is_named(metric):
    painters = {"split_brain": lambda lab: torch.full_like(lab[:, 1:], torch.nan)}
    with pytest.raises(StageError, match=r"split_brain paints colours that are not finite.*train.learning_rate"):
        quality_of(metric, constant(77, 128, 128), painters=painters)
