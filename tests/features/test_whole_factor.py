import pytest

from stages.features.pooling import whole_factor


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
