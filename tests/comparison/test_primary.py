import math

import numpy as np
import pytest

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.lifts import lift_table
from stages.comparison.primary import Endpoint, fixed_sequence, primary_results, primary_scalars
from stages.comparison.summary import comparison_text
from stages.comparison.tables import LABELS_SAVED
from tests.comparison.studies import study

ENDPOINT = Endpoint("linear", "colorization", "rgb")  # linear: one seed, so that its test is the paired t test
CLASSES = {"in": 4, "out": 2}


def tables(folder, ahead, endpoint=ENDPOINT, **options):
    """Of 100 images in each domain, colorization alone is right on `ahead`; of fewer than 0, rgb alone."""
    hits = {"colorization": {}, "rgb": {}}
    for domain, count in ahead.items():
        better, worse = np.arange(100) < max(count, 0), np.arange(100) < max(-count, 0)
        hits["colorization"][domain, "down_1", "linear"] = better[None, None]
        hits["rgb"][domain, "pixels", "linear"] = worse[None, None]
    representations, estimates = study(folder, images=100, hits=hits, **options)
    cells = comparison_cells(representations, estimates, endpoint.subject)
    means = mean_rows(cells, representations)
    return cells, means, lift_table(representations, estimates, endpoint)


def p_by_hand(count: int) -> float:
    """Two-sided p of a paired t test of `count` ones among 100 zeros, by the normal curve: t is far below 1 % off."""
    mean = abs(count) / 100
    return math.erfc(mean / math.sqrt(mean * (1 - mean) / 99) / math.sqrt(2))


# 4 of 100 ahead: t = 2.03, p 0.045; 5 of 100: t = 2.28, p 0.025; 2 of 100: t = 1.42, p 0.16.
@pytest.mark.parametrize(
    ("ahead", "wins", "said"),
    [
        ({"in": 4, "out": 5}, [1, 1], ["a win.", "a win."]),
        ({"in": 4, "out": 2}, [1, 0], ["a win.", "no difference shown."]),
        ({"in": 2, "out": 5}, [0, 0], ["no difference shown.", "in sequence: no difference shown."]),  # p 0.025, alone
        ({"in": -4, "out": 5}, [0, 1], ["falls behind.", "a win."]),
    ],
)
def test_out_of_domain_counts_only_where_in_domain_a_difference_is_shown(tmp_path, ahead, wins, said):
    _, means, lifts = tables(tmp_path, ahead)
    found = primary_results(means, lifts)
    assert list(found["domain"]) == ["in", "out"] and list(found["win"]) == wins
    expected = [p_by_hand(count) for count in ahead.values()]
    np.testing.assert_allclose(found["p"], expected, rtol=0.1)
    np.testing.assert_allclose(found["p_adjusted"], [found["p"][0], max(found["p"])])
    text = comparison_text(means, lifts, LABELS_SAVED.frame([]), CLASSES, ENDPOINT).splitlines()
    assert text[0] == "Primary endpoint: colorization (down_1) minus rgb, linear probe."
    assert text[1].endswith(said[0]) and text[2].endswith(said[1])


def test_a_fixed_sequence_by_hand():
    np.testing.assert_array_equal(fixed_sequence([0.01, 0.04, 0.02]), [0.01, 0.04, 0.04])
    np.testing.assert_array_equal(fixed_sequence([0.2, 0.001]), [0.2, 0.2])
    assert fixed_sequence([]).size == 0


def test_its_scalars_are_the_cell_and_the_lift_of_the_tables(tmp_path):
    cells, means, lifts = tables(tmp_path, {"in": 4, "out": 5})
    scalars = primary_scalars(primary_results(means, lifts))
    assert set(scalars) == {"in_domain", "out_of_domain"}
    for key, domain in (("in_domain", "in"), ("out_of_domain", "out")):
        own = cells[(cells["seed"] == "mean") & (cells["head"] == "linear") & (cells["domain"] == domain)]
        own = own.set_index(["representation", "layer"])
        subject, over, found = own.loc["colorization", "down_1"], own.loc["rgb", "pixels"], scalars[key]
        assert all(math.isfinite(value) for value in found.values())
        assert (found["accuracy"], found["over_accuracy"]) == (subject["accuracy"], over["accuracy"])
        assert (found["accuracy_low"], found["accuracy_high"]) == (subject["accuracy_low"], subject["accuracy_high"])
        assert [found[name] for name in ("lift", "lift_low", "lift_high")] == list(
            over[["lift", "lift_low", "lift_high"]]
        )


def test_any_pair_may_be_the_primary_endpoint_and_is_compared_once(tmp_path):
    encoders = dict.fromkeys(("autoencoder", "colorization", "split_brain"), 0.4)
    for number, over in enumerate(("autoencoder", "split_brain")):
        endpoint = Endpoint("conv", "colorization", over)
        _, _, lifts = tables(tmp_path / str(number), {}, endpoint, pixels={"rgb": 0.5}, encoders=encoders)
        own = lifts[lifts["primary"] == 1]
        assert set(own["over"]) == {over} and set(own["domain"]) == {"in", "out"} and len(own) == 2
        pairs = lifts[["representation", "over"]].drop_duplicates().apply(frozenset, axis=1)
        assert not pairs.duplicated().any()
