import math

import numpy as np
import pytest
from scipy import stats

from stages.comparison.estimates import Interval
from stages.comparison.lifts import holm, lift_table, minimum_detectable, typical_detectable
from stages.comparison.tables import LIFTS
from tests.comparison.studies import ENDPOINT, study


@pytest.fixture(scope="module")
def lifts(tmp_path_factory):
    representations, columns = study(tmp_path_factory.mktemp("study"), images=200)
    return lift_table(representations, columns, ENDPOINT)


def row(lifts, over, representation="colorization", domain="in", head="conv", view="primary"):
    key = {"over": over, "representation": representation, "domain": domain, "head": head, "view": view}
    return lifts.loc[(lifts[list(key)] == list(key.values())).all(axis=1)].squeeze()


def test_holm_s_correction_worked_out_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.5 times 4, 3, 2, 1: 0.04, 0.06, 0.06 and 0.5. Steps never fall, none is above 1.
    np.testing.assert_allclose(holm([0.02, 0.5, 0.01, 0.03]), [0.06, 0.5, 0.04, 0.06])
    np.testing.assert_allclose(holm([0.04, 0.01, 0.011]), [0.04, 0.03, 0.03])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1, 1])
    assert holm([]).size == 0


def of_error(error: float, freedom: float) -> Interval:
    return Interval(0.0, -error, error, error, freedom)


def test_with_infinite_freedom_a_detectable_lift_is_1_96_plus_0_84_standard_errors():
    assert minimum_detectable(of_error(0.01, math.inf)) == pytest.approx(0.01 * (1.959964 + 0.841621), abs=1e-8)
    assert minimum_detectable(of_error(0.0, math.inf)) == 0


@pytest.mark.parametrize(("effect", "group"), [(0.5, 64), (0.8, 26)])
def test_it_agrees_with_the_published_sizes_of_two_groups_for_a_power_of_80_percent(effect, group):
    # Cohen 1992 (A power primer, Psychological Bulletin 112), table 2: a mean difference of d standard deviations takes
    # so many in each group. Its standard error is sqrt(2 / n), with 2 n - 2 degrees of freedom.
    enough, too_few = (minimum_detectable(of_error(math.sqrt(2 / n), 2 * n - 2)) for n in (group, group - 1))
    assert enough <= effect < too_few


@pytest.mark.parametrize("freedom", [1, 2, 3.7, 10])
def test_a_t_test_of_few_degrees_of_freedom_detects_it_that_often(freedom):
    rng = np.random.default_rng(0)
    lift = minimum_detectable(of_error(0.01, freedom))
    lifts, errors = rng.normal(lift, 0.01, 200_000), 0.01 * np.sqrt(rng.chisquare(freedom, 200_000) / freedom)
    assert (np.abs(lifts) / errors > stats.t.isf(0.025, freedom)).mean() == pytest.approx(0.8, abs=0.005)


def test_a_detectable_lift_is_at_most_1():
    assert minimum_detectable(of_error(0.2, 1)) == 1
    assert minimum_detectable(of_error(0.01, 0.01)) == 1


def test_four_images_and_two_seeds_worked_out_by_hand(tmp_path):
    # colorization is as in test_variance: images 1, 1/2, 1/2, 0; seeds' variance 1/24 of mean squares 1/16 and 1/48.
    # The seeds of random are equally good: images 1/2, 0, 1/2, 0. Differences 1/2, 1/2, 0, 0 have the variance 1/12,
    # over 4 images 1/48. In all 1/48 + 1/24 = 1/16: a standard error of 1/4 for a lift of 1/4, so t is 1.
    hits = {
        "colorization": {("in", "down_1", "conv"): [[1, 1, 1, 0], [1, 0, 0, 0]]},
        "random": {("in", "down_1", "conv"): [[1, 0, 0, 0], [0, 0, 1, 0]]},
    }
    found = row(
        lift_table(*study(tmp_path, {}, {"random": 0.5, "colorization": 0.5}, images=4, hits=hits), ENDPOINT), "random"
    )
    assert found["lift"] == 0.25
    assert found["minimum_detectable"] == 1  # of one degree of freedom, t must be above 12.7: no lift reaches it often
    # Satterthwaite: 1 / (1/27 + 1 + 1/27), of (1/48) / (1/16) = 1/3 squared over 3 degrees, twice, and 1 over 1.
    assert found["p"] == pytest.approx(2 * stats.t.sf(1, 27 / 29), rel=1e-5)


def test_with_one_seed_it_is_the_paired_t_test(tmp_path):
    representations, columns = study(tmp_path, images=50)
    found = row(lift_table(representations, columns, ENDPOINT), "rgb", head="linear", domain="out")
    answers = [own.predictions["out"].scores for own in representations]
    pair = answers[4]["down_1", "linear"].hit.ravel(), answers[0]["pixels", "linear"].hit.ravel()
    test = stats.ttest_rel(*(hit.astype(float) for hit in pair))
    assert found["p"] == pytest.approx(test.pvalue, rel=1e-5)
    assert found["lift"] == pytest.approx(pair[0].mean() - pair[1].mean(), abs=1e-6)
    interval = test.confidence_interval()
    half = (interval.high - interval.low) / 2
    assert (found["lift_low"], found["lift_high"]) == pytest.approx((interval.low, interval.high), abs=0.15 * half)


def test_what_learned_from_color_is_the_subject_and_each_pair_counts_once(tmp_path):
    encoders = dict.fromkeys(("random", "autoencoder", "supervised", "colorization", "split_brain"), 0.4)
    found = lift_table(*study(tmp_path, {"rgb": 0.5}, encoders, images=20), ENDPOINT)
    assert list(found) == LIFTS.names
    pairs = found[["representation", "over"]].drop_duplicates().apply(tuple, axis=1).to_list()
    assert pairs == [
        *(("colorization", "rgb"), ("colorization", "random"), ("colorization", "supervised")),
        *(("split_brain", "rgb"), ("split_brain", "random"), ("split_brain", "autoencoder")),
        *(("split_brain", "supervised"), ("split_brain", "colorization")),
    ]
    assert len(found) == 2 * 4 * 3 * 8
    best = found[found["view"] == "best"]
    assert set(best["layer"]) == {"mid"} and set(best["over_layer"]) == {"pixels", "mid"}


def test_a_head_is_a_family_without_the_primary_endpoint_and_a_test_that_views_share_counts_once(tmp_path):
    found = lift_table(*study(tmp_path, images=60, best=None), ENDPOINT)
    for head, family in found.groupby("head"):
        once = family[(family["view"] != "best") & (family["primary"] == 0)]
        assert len(once) == (14 if head == "conv" else 16)  # without the two tests of the primary endpoint
        np.testing.assert_allclose(once["p_adjusted"], holm(list(once["p"])), rtol=1e-5)
        twice, latent = (family[family["view"] == view] for view in ("best", "latent"))
        np.testing.assert_array_equal(latent["p_adjusted"], twice["p_adjusted"])


def test_a_win_is_above_zero_in_its_interval_and_after_correction(lifts):
    assert lifts["win"].equals(((lifts["lift_low"] > 0) & (lifts["p_adjusted"] < 0.05)).astype(int))
    assert (lifts["p_adjusted"] >= lifts["p"]).all() and (lifts["lift_low"] <= lifts["lift_high"]).all()
    assert row(lifts, "random")["win"] == 1
    assert row(lifts, "random", head="linear")["win"] == 1


def test_a_loss_however_clear_is_no_win(tmp_path):
    found = lift_table(*study(tmp_path, {"rgb": 0.9}, {"colorization": 0.2}, images=100, seeds=5), ENDPOINT)
    assert (found["p_adjusted"] < 0.05).all() and (found["win"] == 0).all()


def test_an_equal_and_a_perfect_opponent(tmp_path):
    right = {(d, layer, "linear"): np.ones((1, 1, 20)) for d in ("in", "out") for layer in ("down_1", "pixels")}
    wrong = {key: 0 * value for key, value in right.items()}
    hits = {"colorization": right, "rgb": right, "lightness": wrong}
    found = lift_table(*study(tmp_path, encoders={"colorization": 0.5}, images=20, hits=hits), ENDPOINT)
    assert tuple(row(found, "rgb", head="linear")[["lift", "p", "p_adjusted", "win"]]) == (0, 1, 1, 0)
    assert tuple(row(found, "lightness", head="linear")[["lift", "p", "win"]]) == (1, 0, 1)


def test_the_typical_detectable_lift_is_the_median_of_a_domain_s_primary_layers(lifts):
    own = lifts.query("domain == 'out' and head == 'conv' and view == 'primary'")["minimum_detectable"]
    assert typical_detectable(lifts, "out", "conv") == pytest.approx(own.median(), abs=1e-6)
    assert math.isfinite(typical_detectable(lifts, "in", "conv"))


def test_without_an_encoder_that_learned_there_are_no_lifts(tmp_path):
    found = lift_table(*study(tmp_path, encoders={"random": 0.5}, images=20), ENDPOINT)
    assert list(found) == LIFTS.names and found.empty
    assert typical_detectable(found, "in", "conv") is None
