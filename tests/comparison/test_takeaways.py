"""The answer in three lines, on tables whose answer is plain."""

import pandas as pd
import pytest

from stages.comparison.tables import ACCURACY, LABEL_EFFICIENCY, LIFTS, SEEN_CLASSES
from stages.comparison.takeaways import Pretraining, takeaways
from stages.study.seen_classes import CLASSES, EQUIVALENT, IMAGES, MATTERS, NEGLIGIBLE, UNDECIDED

ENDS = {"win": (0.1, 0.05, 0.15, 0.001, 1), "behind": (-0.1, -0.15, -0.05, 0.001, 0), "none": (0, -0.1, 0.1, 0.9, 0)}
AGREED = {head: {"in": "win", "out": "win"} for head in ("conv", "linear", "knn", "ridge")}
FIXED = {"rgb_small": 0.5, "random": 0.3, "supervised": 0.45, "colorization": 0.6}


def lift_rows(verdicts) -> pd.DataFrame:
    rows = []
    for head, by_domain in verdicts.items():
        for domain, words in by_domain.items():
            key = (domain, head, "primary", "colorization", "mid", "rgb_small", "pixels")
            value, low, high, p, win = ENDS[words]
            rows.append((*key, value, low, high, p, p, win, int(head == "conv"), 0.1, low, high))
    return LIFTS.frame(rows)


def made(verdicts=AGREED, *, fixed=FIXED, best=("down_2", 0.61), curve=((10, 0.5), (20, 0.52)), seen=(), seeds=1):
    accuracy = [
        (domain, "conv", name, "mid", "primary", value, value, value)
        for domain in ("in", "out") for name, value in fixed.items()
    ]  # fmt: skip
    accuracy += [(domain, "conv", "colorization", best[0], "best", best[1], 0, 1) for domain in ("in", "out")]
    efficiency = [
        (domain, head, "colorization", "mid", "primary", "all" if number else "10", labels, value * factor, 0, 1)
        for domain in ("in", "out")
        for head, factor in (("ridge", 1.0), ("finetune", 1.9))  # fine-tuning, which gains more, is not asked
        for number, (labels, value) in enumerate(curve if domain == "in" else [(1.01 * n, each) for n, each in curve])
    ]  # fmt: skip
    effects = [
        ("effect", "colorization", "swapped", "", 1, covered, value, 0, 0, 0, 0, 0, 0, 0, words)
        for covered, value, words in seen
    ]
    return takeaways(
        lift_rows(verdicts),
        ACCURACY.frame(accuracy),
        LABEL_EFFICIENCY.frame(efficiency),
        SEEN_CLASSES.frame(effects),
        1.5,
        Pretraining(4, 50_000, seeds),
    )


def test_a_win_that_all_probes_share():
    first, second, third = made()
    assert str(first) == (
        "Does colourising help with 20 labels a class? Yes. colorization (mid), which sees lightness only, was "
        "compared with rgb_small (pixels with colour, averaged down to the latents' grid) by the conv probe. All "
        "probes agree."
    )
    assert second.verdict == "not tested"
    assert str(third) == (
        "What would help most? Twice the labels (for the ridge probe). The best network, colorization, cost 4 epochs "
        "of 50,000 photographs without their labels."
    )


def test_domains_and_probes_that_differ_are_told_apart():
    verdicts = AGREED | {"conv": {"in": "behind", "out": "win"}, "knn": {"in": "none", "out": "win"}}
    verdicts |= {"linear": {"in": "behind", "out": "none"}, "ridge": {"in": "behind", "out": "none"}}
    first = made(verdicts)[0]
    assert first.verdict == (
        "on classes that the autoencoder saw, no, it falls behind; on classes that it never saw, yes"
    )
    assert first.text.endswith(
        "Not all probes agree: on classes that the autoencoder saw, k-NN: no difference shown; on classes that it "
        "never saw, linear and ridge: no difference shown."
    )


@pytest.mark.parametrize(
    ("words", "value", "expected", "part"),
    [
        (MATTERS, 0.03, "yes", "better"),
        (MATTERS, -0.03, "yes", "worse"),
        (NEGLIGIBLE, 0.01, "hardly", "less than 1.5 points"),
        (EQUIVALENT, 0.0, "no", "less than 1.5 points either way"),
        (UNDECIDED, 0.0, "undecided", "Neither"),
    ],
)
def test_whether_the_classes_were_seen(words, value, expected, part):
    line = made(seen=[(IMAGES, value, words), (CLASSES, value, UNDECIDED)])[1]
    assert line.verdict == expected
    assert part in line.text
    assert ("another choice of classes: undecided" in line.text) == (words != UNDECIDED)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"best": ("down_2", 0.7)}, "another layer (down_2)"),
        ({"fixed": FIXED | {"rgb_small": 0.8}}, "another representation (rgb_small)"),
        ({"curve": ((10, 0.5), (15, 0.55))}, "twice the labels (for the ridge probe)"),
        ({"curve": ((10, 0.5), (20, 0.4)), "best": ("down_2", 0.5)}, "nothing that was compared"),
    ],
)
def test_the_largest_gain_is_named(changed, expected):
    assert made(**changed)[2].verdict == expected


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        (FIXED | {"random": 0.7}, "cost nothing"),
        (
            FIXED | {"supervised": 0.7},
            "supervised, cost as many steps as 4 epochs of 50,000 photographs, on the labelled photographs alone, 3 "
            "times.",
        ),
        (FIXED | {"kmeans_patches": 0.7}, "kmeans_patches, cost next to nothing"),
        (FIXED | {"vicreg": 0.7}, "vicreg, cost as many FLOPs as an autoencoder in 4 epochs of 50,000 photographs"),
    ],
)
def test_the_best_network_and_its_cost(fixed, expected):
    assert expected in made(fixed=fixed, seeds=3)[2].text


def test_without_an_objective_there_are_no_lines():
    assert takeaways(lift_rows({}), *[pd.DataFrame()] * 3, 1.5, Pretraining(1, 1, 1)) == []
