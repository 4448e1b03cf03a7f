import numpy as np
import pytest

from stages.classifiers import standardization as features
from stages.classifiers.standardization import channel_stats, standardise
from stages.color.lab import encode_lab8, rgb_to_lab
from stages.pixels.features import pixel_features
from stages.runtime.errors import StageError


@pytest.fixture
def rgb():
    return np.random.default_rng(0).uniform(size=(5, 3, 8, 8))


@pytest.fixture
def lab8(rgb):
    return encode_lab8(rgb_to_lab(rgb))


def test_rgb_is_the_image_itself_up_to_the_rounding_of_lab(rgb, lab8):
    found = pixel_features(lab8, "rgb", stride=4, views=1)
    assert found.shape == (5, 1, 3, 8, 8) and found.dtype == np.float16
    assert np.abs((found[:, 0].astype(float) + 1) / 2 - rgb).max() < 0.1
    assert np.abs((found[:, 0].astype(float) + 1) / 2 - rgb).mean() < 0.005


def test_lightness_is_the_stored_lightness_scaled(lab8):
    found = pixel_features(lab8, "lightness", stride=4, views=1)
    np.testing.assert_allclose(found[:, 0, 0], lab8[:, 0] / 127.5 - 1, atol=1e-3)


@pytest.mark.parametrize("name", ["rgb", "lightness"])
def test_small_features_are_block_averages_on_the_grid_of_the_latents(lab8, name):
    full = pixel_features(lab8, name, stride=4, views=2).astype(float)
    small = pixel_features(lab8, f"{name}_small", stride=4, views=2)
    assert small.shape == (*full.shape[:3], 2, 2)
    np.testing.assert_allclose(small[0, 0, 0, 1, 0], full[0, 0, 0, 4:, :4].mean(), atol=2e-3)
    np.testing.assert_array_equal(small[:, 1], small[:, 0, ..., ::-1])


def test_all_pixels_lie_in_one_range_and_view_1_is_the_mirror_image(lab8):
    for name in ("rgb", "lightness", "rgb_small", "lightness_small"):
        found = pixel_features(lab8, name, stride=2, views=2)
        assert found.min() >= -1 and found.max() <= 1
        np.testing.assert_array_equal(found[:, 1], found[:, 0, ..., ::-1])


def test_chunks_do_not_show(lab8, monkeypatch):
    whole = pixel_features(lab8, "rgb", stride=2, views=2)
    stats = channel_stats(whole)
    monkeypatch.setattr(features, "CHUNK_VALUES", 300)
    np.testing.assert_array_equal(pixel_features(lab8, "rgb", stride=2, views=2), whole)
    np.testing.assert_allclose(channel_stats(whole), stats, rtol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"representation": "hue"},
        {"stride": 3, "representation": "rgb_small"},
        {"lab8": np.zeros((1, 3, 8, 8))},
    ],
)
def test_what_cannot_be_converted_is_refused(lab8, change):
    call = {"lab8": lab8, "representation": "rgb", "stride": 4, "views": 1} | change
    with pytest.raises(ValueError, match="must"):
        pixel_features(call.pop("lab8"), call.pop("representation"), **call)


def test_every_channel_gets_mean_0_and_variance_1():
    scale = np.array([0.01, 1, 200])[:, None, None]
    values = (np.random.default_rng(0).normal(3, 1, (50, 2, 3, 4, 4)) * scale).astype(np.float16)
    found = standardise(values, channel_stats(values)).astype(float)
    np.testing.assert_allclose(found.mean(axis=(0, 1, 3, 4)), 0, atol=2e-3)
    np.testing.assert_allclose(found.std(axis=(0, 1, 3, 4)), 1, atol=2e-3)


@pytest.mark.parametrize("constant", [0, 1, 100])
def test_a_constant_channel_and_its_rounding_stay_small(constant):
    values = np.full((10, 2, 1, 4, 4), constant, dtype=np.float16)
    values[0, 0, 0, 0, 0] = np.nextafter(values[0, 0, 0, 0, 0], np.float16(np.inf))
    assert np.abs(standardise(values, channel_stats(values))).max() <= 1


def test_values_that_are_not_finite_are_refused():
    good = np.ones((4, 1, 2, 3, 3), dtype=np.float16)
    bad = good.copy()
    bad[2, 0, 1] = np.inf
    with pytest.raises(StageError, match="not finite"):
        channel_stats(bad)
    with pytest.raises(StageError, match="not finite"):
        standardise(bad, channel_stats(good))
