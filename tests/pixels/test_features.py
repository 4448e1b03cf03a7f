import numpy as np
import pytest

from stages.color.lab import encode_lab8, rgb_to_lab
from stages.pixels import features
from stages.pixels.features import pixel_features


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
    monkeypatch.setattr(features, "CHUNK_VALUES", 300)
    np.testing.assert_array_equal(pixel_features(lab8, "rgb", stride=2, views=2), whole)


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
