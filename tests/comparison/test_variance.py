import math

import numpy as np
import pytest
from scipy import stats

from stages.comparison.variance import seed_variance, standard_error

# Two seeds, four images. Means: seeds 3/4 and 1/4, all 1/2; images 1, 1/2, 1/2, 0.
RUNS = np.array([[1.0, 1, 1, 0], [1, 0, 0, 0]])


@pytest.mark.parametrize("runs", [RUNS[:, None], RUNS[None]], ids=["pretraining", "probe"])
def test_mean_squares_worked_out_by_hand(runs):
    # Between seeds: variance of (3/4, 1/4) is 1/8, over 2 seeds 1/16. Residuals are 1/4 in size everywhere: their
    # squares sum to 8 / 16, over (2 - 1)(4 - 1) that is 1/6, over 2 x 4 cells 1/48. Left for seeds 1/16 - 1/48 = 1/24.
    found = seed_variance(runs)
    assert found.variance == pytest.approx(1 / 24)
    assert found.terms == ((pytest.approx(1 / 16), 1), (pytest.approx(1 / 48), 3))
    # Images: variance of (1, 1/2, 1/2, 0) is 1/6, over 4 images 1/24. In all 1/12.
    error, freedom = standard_error(RUNS.mean(axis=0), (found,))
    assert error == pytest.approx(math.sqrt(1 / 12))
    assert freedom == pytest.approx((1 / 12) ** 2 / ((1 / 24) ** 2 / 3 + (1 / 16) ** 2 / 1 + (1 / 48) ** 2 / 3))


def test_seeds_that_differ_no_more_than_images_make_them_count_for_nothing():
    found = seed_variance(np.array([[[1.0, 0, 1, 0], [0, 1, 0, 1]]]))  # equal means, each image once right
    assert found == (0, ())


def test_one_seed_leaves_the_standard_error_over_images():
    values = np.array([1.0, 0, 1, 1])
    assert standard_error(values, (seed_variance(values[None, None]),)) == (pytest.approx(stats.sem(values)), 3)


def test_nothing_that_varies_has_no_error():
    assert standard_error(np.ones(4), (seed_variance(np.ones((2, 3, 4))),)) == (0, math.inf)


def test_it_is_unbiased_where_seeds_matter():
    rng = np.random.default_rng(0)
    studies, seeds, images = 2000, 3, 50
    tables = (
        0.3 * rng.standard_normal((studies, seeds, 1))
        + rng.standard_normal((studies, 1, images))
        + rng.standard_normal((studies, seeds, images))
    )
    found = [standard_error(table.mean(axis=0), (seed_variance(table[None]),))[0] ** 2 for table in tables]
    truth = 0.3**2 / seeds + 1 / images + 1 / (seeds * images)
    assert np.mean(found) == pytest.approx(truth, rel=0.05)
    assert tables.mean(axis=(1, 2)).var() == pytest.approx(truth, rel=0.1)


def test_intervals_cover_other_pretrainings_and_other_draws_of_labels():
    """Crossed: each pretraining meets the same draws, and neither's spread alone is the whole of it."""
    rng = np.random.default_rng(0)
    studies, shape = 1500, (2, 3, 60)
    spread = {(0,): 0.2, (1,): 0.3, (2,): 1.0, (0, 1): 0.1, (0, 2): 0.5, (1, 2): 0.5, (0, 1, 2): 1.0}

    def table():
        effects = (
            size * rng.standard_normal([count if axis in axes else 1 for axis, count in enumerate(shape)])
            for axes, size in spread.items()
        )
        return sum(effects)

    covered = 0
    for _ in range(studies):
        values = table()
        error, freedom = standard_error(values.mean(axis=(0, 1)), (seed_variance(values),))
        covered += abs(values.mean()) <= stats.t.ppf(0.975, freedom) * error
    assert 0.93 <= covered / studies <= 0.99


def test_the_spread_of_either_kind_of_seed_alone_is_found():
    noise = 0.01 * np.random.default_rng(0).standard_normal((3, 3, 40))
    ends = np.array([-1.0, 0, 1])
    for one_kind in (ends[:, None, None], ends[None, :, None]):
        # Variance of (-1, 0, 1) is 1, over three seeds 1/3.
        assert seed_variance(noise + one_kind).variance == pytest.approx(1 / 3, rel=0.02)
