import numpy as np
import pytest

from stages.features.pooling import pool_positions, pool_to_limit


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
