import math

import numpy as np
import pytest

from stages.comparison.estimates import bootstrap_estimates
from stages.comparison.ratios import accuracy_ratio, ratio_table
from stages.comparison.tables import RATIOS
from tests.comparison.probes import PRIMARY
from tests.comparison.studies import study


def estimates(first, second, resamples=20_000):
    hits = {("a",): np.array(first, np.uint8), ("b",): np.array(second, np.uint8)}
    found = bootstrap_estimates(hits, np.arange(hits["a",].shape[2]) % 5, resamples=resamples, seed=[0, 0])
    return found["a",], found["b",]


def right(share, images=500, shift=0):
    """One pretraining and one probe seed, right on that share of the images."""
    return np.roll(np.arange(images) < share * images, shift)[None, None]


def fieller(estimate, other, floor):
    """The ratios r for which (a - r b)^2 <= t^2 times its variance (Fieller 1954), by the quadratic's roots."""
    a, b = estimate.images.mean() - floor, other.images.mean() - floor
    (aa, ab), (_, bb) = np.cov(estimate.images, other.images) / len(estimate.images) * 1.965**2  # t of 499 degrees
    middle, spread = a * b - ab, math.sqrt((a * b - ab) ** 2 - (a**2 - aa) * (b**2 - bb))
    return (middle - spread) / (b**2 - bb), (middle + spread) / (b**2 - bb)


@pytest.mark.parametrize(("floor", "value"), [(0.0, 1.5), (0.2, 2.0)])
def test_a_ratio_worked_out_by_hand_has_fieller_s_interval(floor, value):
    # 0.6 / 0.4 = 1.5; with a chance of 0.2 taken off, 0.4 / 0.2 = 2.
    pair = estimates(right(0.6), right(0.4, shift=100))
    found = accuracy_ratio(*pair, floor)
    assert found.value == pytest.approx(value)
    low, high = fieller(*pair, floor)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))


def test_seeds_widen_a_ratio():
    seeds = np.concatenate([right(0.5), right(0.6), right(0.7)], axis=1)
    one, several = (accuracy_ratio(*estimates(hits, right(0.4))) for hits in (right(0.6), seeds))
    assert one.value == pytest.approx(several.value) and several.high - several.low > 1.5 * (one.high - one.low)


def test_without_pixels_that_are_better_than_chance_there_is_no_ratio():
    pair = estimates(right(0.6), right(0.22), resamples=500)
    assert all(math.isnan(number) for number in accuracy_ratio(*pair, 0.2))
    assert accuracy_ratio(*pair).value == pytest.approx(0.6 / 0.22)
    assert all(math.isnan(number) for number in accuracy_ratio(pair[0], estimates(right(0), right(0))[0]))


def test_an_accuracy_of_0_is_0_of_the_other_and_one_below_chance_less():
    pair = estimates(right(0), right(0.4), resamples=500)
    assert accuracy_ratio(*pair) == (0, 0, 0)
    below = accuracy_ratio(*pair, 0.2)
    assert below.value == pytest.approx(-1) and below.low < -1 < below.high < 0


def test_every_representation_is_compared_with_each_kind_of_pixels_with_colour(tmp_path):
    pixels = {"rgb": 0.5, "rgb_small": 0.4, "lightness": 0.3}
    found = ratio_table(*study(tmp_path, pixels, {"colorization": 0.6}, seeds=1), {"in": 0.25, "out": 0.5})
    assert list(found) == RATIOS.names
    assert set(found["over"]) == {"rgb", "rgb_small"} and set(found["representation"]) == {"lightness", "colorization"}
    assert set(found.loc[found["representation"] == "lightness", "layer"]) == {"pixels"}
    assert set(found.loc[found["representation"] == "colorization", "layer"]) == {PRIMARY, "mid", "latent"}
    np.testing.assert_allclose(found["ratio"], found["accuracy"] / found["over_accuracy"], atol=1e-5)
    np.testing.assert_allclose(found["lift"], found["accuracy"] - found["over_accuracy"], atol=2e-6)
    own = found[(found["domain"] == "in") & found["chance_corrected"].notna()]
    expected = (own["accuracy"] - 0.25) / (own["over_accuracy"] - 0.25)
    np.testing.assert_allclose(own["chance_corrected"], expected, atol=1e-4)
    assert ratio_table(*study(tmp_path, {"lightness": 0}, {"colorization": 0}), {"in": 0.25, "out": 0.5}).empty
