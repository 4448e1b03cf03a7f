import numpy as np
import pytest
from scipy import stats

from stages.comparison.few_shot_lifts import few_shot_lifts
from stages.comparison.lifts import holm, lift_table
from stages.comparison.tables import FEW_SHOT_LIFTS
from tests.comparison.probes import PRIMARY
from tests.comparison.studies import ENDPOINT, study


def lifts(folder, *arms, **options):
    representations, estimates = study(folder, *arms, **options)
    return few_shot_lifts(representations, estimates, lift_table(representations, estimates, ENDPOINT), seed=0)


def test_two_draws_and_four_images_worked_out_by_hand(tmp_path):
    # The differences are the table of test_variance: a mean of 1/2, images 1/24 and draws 1/24 of mean squares 1/16
    # and 1/48. In all 1/12.
    ours, theirs = [[1, 1, 1, 1], [1, 0, 1, 1]], [[0, 0, 0, 1], [0, 0, 1, 1]]
    hits = {
        name: {("in", layer, "few_shot", "5"): [table] for layer in (PRIMARY, "latent", "mid")}
        for name, table in (("colorization", ours), ("random", theirs))
    }
    found = lifts(tmp_path, {}, {"random": 0.5, "colorization": 0.5}, images=4, hits=hits)
    row = found[(found["domain"] == "in") & (found["shots"] == "5")].iloc[0]
    assert (row["lift"], row["labels"]) == (0.5, 5)
    freedom = (1 / 12) ** 2 / ((1 / 24) ** 2 / 3 + (1 / 16) ** 2 / 1 + (1 / 48) ** 2 / 3)
    assert row["p"] == pytest.approx(2 * stats.t.sf(0.5 / np.sqrt(1 / 12), freedom), rel=1e-4)


def test_a_draw_that_is_lucky_for_both_cancels_and_one_that_is_for_one_does_not(tmp_path):
    # Two draws of labels, with which random is right on 80 and 30 % of images, and colorization on 10 % more with the
    # same draws, or with those that are unlucky for random.
    easy = np.random.default_rng(0).permutation(400) / 400
    random, shared, own = (
        np.stack([easy < share for share in shares]) for shares in ((0.8, 0.3), (0.9, 0.4), (0.4, 0.9))
    )
    found = {}
    for name, table in (("shared", shared), ("own", own)):
        key = ("in", PRIMARY, "few_shot", "1")
        hits = {"random": {key: [random]}, "colorization": {key: [table]}}
        rows = lifts(tmp_path / name, {}, {"random": 0.5, "colorization": 0.5}, images=400, best=None, hits=hits)
        found[name] = rows[(rows["domain"] == "in") & (rows["shots"] == "1")].iloc[0]
    assert found["shared"]["lift"] == pytest.approx(found["own"]["lift"])
    assert found["shared"]["p"] < 1e-6 and found["own"]["p"] > 0.5


def test_each_pair_of_the_ridge_probe_is_tested_with_each_number_of_labels_in_one_family(tmp_path):
    found = lifts(tmp_path, images=60, pretraining_seeds=2, best=None)
    assert list(found) == FEW_SHOT_LIFTS.names
    assert set(found["over"]) == {"rgb", "lightness", "random", "reconstruction"} and set(found["shots"]) == {"1", "5"}
    once = found.drop_duplicates(["domain", "layer", "over", "shots"])
    assert len(once) == 2 * 2 * 4 * 2
    np.testing.assert_allclose(once["p_adjusted"], holm(list(once["p"])), rtol=1e-4)
    assert found["win"].equals(((found["lift_low"] > 0) & (found["p_adjusted"] < 0.05)).astype(int))
    assert (found["lift_low_classes"] <= found["lift"]).all() and (found["lift"] <= found["lift_high_classes"]).all()


def test_without_lifts_there_are_none_with_few_labels(tmp_path):
    found = lifts(tmp_path, {"rgb": 0.5}, {"random": 0.5}, images=20)
    assert list(found) == FEW_SHOT_LIFTS.names and found.empty
