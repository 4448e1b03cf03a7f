import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.reporting.answer import facts, find_answers, primary_findings, sentence
from stages.reporting.results import StudyResults
from stages.study.verdicts import verdict

LIFT = ["domain", "head", "view", "representation", "layer", "over", "over_layer", "lift", "lift_low", "lift_high"]
LIFT += ["p", "p_adjusted", "win", "primary", "minimum_detectable"]
MEAN = ["domain", "head", "representation", "layer", "accuracy", "accuracy_low", "accuracy_high"]
DEPTH = ["domain", "representation", "layer", "cv_accuracy", "chosen"]
EMPTY = pd.DataFrame()


def results(lifts=(), means=(), depth=(), chance=None) -> StudyResults:
    layers = pd.DataFrame(depth, columns=DEPTH).astype({"cv_accuracy": float})
    return StudyResults(
        chance=chance or {}, comparison=pd.DataFrame(means, columns=MEAN), seeds=(1, 1),
        accuracy=EMPTY, lifts=pd.DataFrame(lifts, columns=LIFT), efficiency=EMPTY, depth=layers, curves=EMPTY,
        confused=EMPTY, quality={}, collapsed=[], scores={}, training={},
        ratios=EMPTY, few_shot_lifts=EMPTY, online=EMPTY, labels_saved=EMPTY, seen_classes=EMPTY, takeaways=EMPTY,
    )  # fmt: skip


def lift(
    over, value, low, high, p, win, *, name="colorization", layer="mid", view="best", over_layer="pixels", primary=0
):
    return ("in", "conv", view, name, layer, over, over_layer, value, low, high, p, p, win, primary, 0.114)


MEANS = [("in", "conv", "colorization", "mid", 0.527, 0.46, 0.591), ("in", "conv", "colorization", "latent", 0.6, 0, 1)]
CHOSEN = [("in", "colorization", "mid", 0.5, 1), ("in", "colorization", "latent", 0.4, 0)]


def test_the_sentence_by_hand():
    lifts = [
        lift("rgb", -0.052, -0.138, 0.028, 0.61, 0),
        lift("rgb_small", 0.02, -0.06, 0.1, 0.9, 0),
        lift("lightness", 0.128, 0.042, 0.208, 0.001, 1),
        lift("random", 0.2, 0.1, 0.3, 0.001, 1, over_layer="down_1"),
    ]
    (finding,) = find_answers(results(lifts, MEANS, CHOSEN, {"in": 0.125}), from_color=False)
    assert sentence(finding) == (
        "On classes that the autoencoder saw, colorization (mid), the objective and layer chosen without test images, "
        "shows no difference from the best pixels with colour, rgb, and beats the best lightness-only control, "
        "lightness."
    )
    assert [facts(row) for row in finding.lifts.values()] == [
        "-13.8 to +2.8; p 0.610 by Holm; minimum detectable at 80 % power: 11.4 points",
        "+4.2 to +20.8; p 0.001 by Holm",
    ]


def test_the_primary_endpoint_by_hand():
    rows = [
        lift("rgb_small", 0.02, -0.06, 0.1, 0.6, 0, view="primary", primary=1),
        lift("rgb_small", 0.02, -0.06, 0.1, 0.6, 0, primary=1),
        lift("random", 0.2, 0.1, 0.3, 0.001, 1, over_layer="mid", view="primary"),
    ]
    (finding,) = primary_findings(results(rows, MEANS, (), {"in": 0.125}))
    assert sentence(finding) == (
        "On classes that the autoencoder saw, colorization (mid), the objective and layer declared before the run, "
        "shows no difference from rgb_small."
    )
    assert facts(finding.lifts[""]).startswith("-6.0 to +10.0; p 0.600 in a fixed sequence")


ends = st.floats(-1, 1)


@settings(max_examples=50, deadline=None)
@given(low=ends, high=ends, p=st.floats(0, 1))
def test_it_beats_where_the_table_says_win_and_nowhere_else(low, high, p):
    low, high = sorted((low, high))
    win = int(low > 0 and p < 0.05)
    for over in ("rgb", "random"):
        row = lift(over, (low + high) / 2, low, high, p, win)
        (finding,) = find_answers(results([row], MEANS, CHOSEN), from_color=False)
        said = sentence(finding)
        assert ("beats" in said) == (win == 1)
        assert ("falls behind" in said) == (high < 0 and p < 0.05)
        assert ("shows no difference" in said) == (not win and not (high < 0 and p < 0.05))


def test_an_interval_above_zero_without_a_win_is_no_win():
    row = pd.Series({"lift": 0.1, "lift_low": 0.02, "lift_high": 0.18, "win": 0})
    assert verdict(row) == "no difference shown"


def test_the_objective_is_chosen_on_validation_not_on_test():
    means = [*MEANS, ("in", "conv", "color_classification", "mid", 0.9, 0.8, 1.0)]
    depth = [*CHOSEN, ("in", "color_classification", "mid", 0.45, 1)]
    (finding,) = find_answers(results((), means, depth), from_color=False)
    assert (finding.objective, finding.layer, finding.accuracy) == ("colorization", "mid", 0.527)


def test_what_sees_colour_is_answered_apart_and_measured_against_the_control_that_does():
    means = [*MEANS, ("in", "conv", "split_brain", "mid", 0.9, 0.8, 1.0)]
    depth = [*CHOSEN, ("in", "split_brain", "mid", 0.8, 1)]
    lifts = [
        lift(over, value, 0.1, 0.9, 0.001, 1, name="split_brain")
        for over, value in (("rgb", 0.4), ("random", 0.5), ("autoencoder", 0.2))
    ]
    from_lightness = find_answers(results(lifts, means, depth), from_color=False)
    from_color = find_answers(results(lifts, means, depth), from_color=True)
    assert [finding.objective for finding in from_lightness + from_color] == ["colorization", "split_brain"]
    assert {kind: row["over"] for kind, row in from_color[0].lifts.items()} == {
        "the best pixels with colour": "rgb", "the best control": "autoencoder",
    }  # fmt: skip


def test_controls_are_at_their_best_layer_where_the_subject_is():
    chosen = [("in", "colorization", "latent", 0.5, 1)]
    lifts = [
        lift("random", 0.3, 0.2, 0.4, 0.001, 1, layer="latent", view="latent", over_layer="latent"),
        lift("random", 0.1, 0.02, 0.2, 0.01, 1, layer="latent", view="best", over_layer="down_1"),
    ]
    (finding,) = find_answers(results(lifts, MEANS, chosen), from_color=False)
    assert finding.lifts["the best lightness-only control"]["over_layer"] == "down_1"


def test_without_opponents_it_says_so():
    (finding,) = find_answers(results((), MEANS, CHOSEN), from_color=False)
    assert sentence(finding).endswith("had nothing to be compared with.")


def test_another_head_speaks_where_conv_was_not_probed():
    means = [("in", "ridge", "colorization", "mid", 0.3, math.nan, math.nan)]
    (finding,) = find_answers(results((), means, CHOSEN), from_color=False)
    assert (finding.head, finding.accuracy) == ("ridge", 0.3)


@pytest.mark.parametrize("depth", [(), [("in", "random", "mid", 0.9, 1)]])
def test_no_objective_no_answer(depth):
    assert find_answers(results((), MEANS, depth), from_color=False) == []
