import numpy as np
import pytest

from stages.features.pooling import pool_positions, pool_to_limit, whole_factor


def maps(channels: int = 2, side: int = 8) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 2, channels, side, side)).astype(np.float16)


def test_pooling_averages_blocks_and_leaves_small_maps_alone():
    features = maps()
    pooled = pool_positions(features, 2)
    assert pooled.shape == (60, 2, 8) and pooled.dtype == np.float32
    assert pooled[3, 1, 5] == pytest.approx(features[3, 1, 1, :4, 4:].astype(float).mean(), abs=1e-5)
    np.testing.assert_array_equal(pool_positions(features, 16), features.reshape(60, 2, -1).astype(np.float32))


@pytest.mark.parametrize(("limit", "length"), [(128, 128), (127, 32), (32, 32), (9, 8), (2, 2), (1, 2)])
def test_maps_are_brought_to_at_most_the_limit_and_no_further_than_a_whole_factor_takes_them(limit, length):
    assert pool_to_limit(maps(), limit).shape == (60, length)


def test_within_the_limit_values_stay_and_beyond_it_blocks_of_view_0_are_averaged():
    features = maps()
    np.testing.assert_array_equal(pool_to_limit(features, 128), features[:, 0].reshape(60, -1).astype(np.float32))
    expected = features[:, 0].astype(float).reshape(60, 2, 4, 2, 4, 2).mean(axis=(3, 5)).reshape(60, -1)
    np.testing.assert_allclose(pool_to_limit(features, 100), expected, atol=1e-6)


def test_maps_that_are_not_square_are_refused():
    with pytest.raises(ValueError, match="must be square; got 4 x 8"):
        pool_to_limit(maps()[..., :4, :], 10)


@pytest.mark.parametrize(
    ("channels", "side", "limit", "factor"),
    [
        (4, 16, 9000, 1),  # 1,024 values: as they are
        (32, 64, 9000, 4),  # 131,072, 32,768, then 8,192
        (3, 128, 9000, 4),  # 49,152, 12,288, then 3,072
        (64, 9, 600, 3),  # 3 is the first divisor of 9 above 1
        (1, 100, 100, 10),  # exactly the limit is within it
        (1, 7, 48, 7),  # a prime side goes to a single position
        (100, 4, 64, 4),  # more channels than the limit: a single position is the least there is
        (64, 1, 64, 1),
    ],
)
def test_the_smallest_divisor_that_brings_a_map_within_the_limit(channels, side, limit, factor):
    assert whole_factor(channels, side, limit) == factor
