"""What it is worth to have seen the classes: by hand, against SciPy, and on answers whose effect is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stages.comparison.estimates import Interval, bootstrap_estimates
from stages.comparison.seen_classes import (
    Part,
    contrast,
    equivalence_p,
    seen_class_scalars,
    seen_class_table,
)
from stages.comparison.task_hits import TaskHits, read_task_hits
from stages.comparison.variance import contrast_seed_variance, seed_variance
from stages.runtime.errors import StageError
from stages.study.seen_classes import CLASSES, EQUIVALENT, IMAGES, MATTERS, NEGLIGIBLE, UNDECIDED, answer, verdict
from tests.comparison.probes import write_crossover

MARGIN = 0.015


def tasks(**hits) -> dict[str, dict[str, TaskHits]]:
    """`out` and `matched`, each a dict of (P, D, N) by representation, of images of 20 classes."""
    found = {}
    for task, by_name in hits.items():
        count = np.asarray(next(iter(by_name.values()))).shape[-1]
        images = np.array([f"{number % 20:02}/{number:06}" for number in range(count)], object)
        labels = np.array([image[:2] for image in images], object)
        found[task] = {name: TaskHits(images, labels, np.asarray(table, bool)) for name, table in by_name.items()}
    return found


def made(tables, own="colorization", resamples=200) -> pd.DataFrame:
    return seen_class_table(tables, own, margin=MARGIN, resamples=resamples, seed=0)


def row(table, quantity="effect", covered=IMAGES) -> pd.Series:
    return table[(table["quantity"] == quantity) & (table["accounts_for"] == covered)].squeeze()


def drawn(images, *, seeing=0.0, difficulty=0.1, quality=0.1, seeds=(1, 1), rng=0):
    """Answers of both encoders in both tasks: right with a probability of 0.4, and what is added to it.

    The classes of `out` are harder, and swapped is worse, seen classes aside.
    """
    rng = np.random.default_rng(rng)
    hits = {}
    for task, harder in (("out", difficulty), ("matched", 0.0)):
        common = rng.random(images)  # an image is easy or hard for both
        for name, worse in (("colorization", 0.0), ("swapped", quality)):
            seen = seeing if (task == "out") == (name == "swapped") else 0.0
            luck = 0.5 * common + 0.5 * rng.random((*seeds, images))
            threshold = np.quantile(luck, 0.4 - harder - worse + seen)
            hits.setdefault(task, {})[name] = luck < threshold
    return tasks(**hits)


def test_four_images_a_task_worked_out_by_hand():
    # swapped minus own in out: 1, 1, 0, 0, of mean 1/2 and variance 1/3, over 4 images 1/12. Own minus swapped in
    # matched: 0, 1, 0, 0, of mean 1/4 and variance 1/4, over 4 images 1/16. The effect is 3/8, of variance
    # 1/4 (1/12 + 1/16) = 4/192 + 3/192 = 7/192; Satterthwaite: 7^2 / (4^2 / 3 + 3^2 / 3) = 147/25.
    found = row(made(tasks(
        out={"colorization": [[[0, 0, 1, 0]]], "swapped": [[[1, 1, 1, 0]]]},
        matched={"colorization": [[[1, 1, 1, 1]]], "swapped": [[[1, 0, 1, 1]]]},
    )))  # fmt: skip
    error, freedom = np.sqrt(7 / 192), 147 / 25
    assert found["value"] == 0.375
    assert found["p"] == pytest.approx(2 * stats.t.sf(0.375 / error, freedom), abs=1e-6)
    assert found["p_equivalence"] == pytest.approx(stats.t.cdf((0.375 - MARGIN) / error, freedom), abs=1e-6)
    power = stats.nct.sf(stats.t.isf(0.025, freedom), freedom, found["minimum_detectable"] / error)
    assert power == pytest.approx(0.8, abs=1e-5)
    assert found["verdict"] == UNDECIDED


@pytest.mark.parametrize(("shift", "margin"), [(0.0, 0.05), (0.03, 0.05), (-0.03, 0.05), (0.2, 0.05)])
def test_tost_is_the_larger_of_scipy_s_two_one_sided_t_tests(shift, margin):
    rng = np.random.default_rng(0)
    first, second = (rng.random((1, 1, 400)) < share for share in (0.5 + shift, 0.5))
    estimates = bootstrap_estimates({("a",): first, ("b",): second}, np.arange(400) % 8, resamples=4000, seed=[0])
    difference = (first.astype(float) - second).ravel()
    found = contrast(
        [Part(estimates["a",] - estimates["b",], difference[None, None], 1.0)],
        np.zeros(4000),
        margin,
        over_classes=False,
    )
    tests = (
        stats.ttest_1samp(difference, -margin, alternative="greater"),
        stats.ttest_1samp(difference, margin, alternative="less"),
    )
    assert found.p_equivalence == pytest.approx(max(test.pvalue for test in tests), rel=1e-6)
    assert found.p == pytest.approx(stats.ttest_1samp(difference, 0).pvalue, rel=1e-6)
    interval = stats.ttest_1samp(difference, 0).confidence_interval(0.9)
    half = (interval.high - interval.low) / 2
    assert (found.low_90, found.high_90) == pytest.approx((interval.low, interval.high), abs=0.1 * half)


def test_tost_of_what_does_not_vary():
    assert equivalence_p(Interval(0.01, 0.01, 0.01, 0.0, np.inf), 0.015) == 0
    assert equivalence_p(Interval(-0.02, -0.02, -0.02, 0.0, np.inf), 0.015) == 1


def test_what_a_seed_does_to_both_tasks_alike_cancels_and_what_it_does_to_the_effect_counts():
    # The second seed is right on all of out, or wrong; in the sum it moves both tasks, or neither.
    low_high, high_low = np.zeros((2, 1, 6)), np.zeros((2, 1, 6))
    low_high[1], high_low[0] = 1, 1
    assert contrast_seed_variance([(low_high, 0.5), (high_low, 0.5)]).variance == 0
    # Per seed the sum is 0 and 1: a variance of 1/2, over 2 seeds 1/4.
    assert contrast_seed_variance([(low_high, 0.5), (low_high, 0.5)]).variance == pytest.approx(0.25)
    table = np.random.default_rng(0).random((3, 4, 50)) < np.array([0.2, 0.5, 0.8])[:, None, None]
    assert contrast_seed_variance([(table, 1.0)]) == seed_variance(table)


@pytest.mark.parametrize(
    ("seeing", "images", "expected"),
    [(0.08, 20_000, MATTERS), (0.008, 20_000, NEGLIGIBLE), (0.0, 20_000, EQUIVALENT), (0.0, 400, UNDECIDED)],
)
def test_a_known_effect_is_found_however_hard_the_classes_and_however_good_the_encoders(seeing, images, expected):
    found = row(made(drawn(images, seeing=seeing)))
    assert found["verdict"] == expected
    assert found["low"] <= seeing <= found["high"]


def test_intervals_over_classes_are_wider_where_the_effect_differs_between_classes():
    rng = np.random.default_rng(0)
    of_class = rng.normal(0, 0.15, 20)
    hits = {}
    for task in ("out", "matched"):
        for name in ("colorization", "swapped"):
            seen = (task == "out") == (name == "swapped")
            shares = 0.4 + seen * of_class[np.arange(2000) % 20]
            hits.setdefault(task, {})[name] = rng.random((1, 1, 2000)) < shares
    table = made(tasks(**hits))
    images, classes = row(table), row(table, covered=CLASSES)
    assert images["value"] == classes["value"]
    assert classes["high"] - classes["low"] > 1.5 * (images["high"] - images["low"])


@pytest.mark.parametrize("rng", range(5))
def test_no_number_is_more_certain_for_another_choice_of_classes(rng):
    """With few seeds the estimate that accounts for classes, too, comes out smaller at times."""
    table = made(drawn(400, seeds=(3, 1), rng=rng))
    for quantity, rows in table[table["quantity"] != "accuracy"].groupby(["quantity", "task"]):
        images, classes = (rows[rows["accounts_for"] == covered].iloc[0] for covered in (IMAGES, CLASSES))
        assert classes["value"] == images["value"], quantity
        assert classes["low"] <= images["low"] <= images["high"] <= classes["high"], quantity
        assert classes["low_90"] <= images["low_90"] <= images["high_90"] <= classes["high_90"], quantity
        for name in ("p", "p_equivalence", "minimum_detectable"):
            assert classes[name] >= images[name], (quantity, name)


def test_without_swapped_the_tasks_are_compared_and_no_effect_is_told():
    hits = drawn(400)
    for by_name in hits.values():
        del by_name["swapped"]
    table = made(hits)
    assert set(table["quantity"]) == {"accuracy", "difference"}
    difference = row(table, "difference")
    accuracies = table[(table["quantity"] == "accuracy") & (table["accounts_for"] == IMAGES)].set_index("task")["value"]
    assert difference["value"] == pytest.approx(accuracies["matched"] - accuracies["out"], abs=2e-6)
    assert set(seen_class_scalars(table)["colorization"]) == {"seen", "unseen"}
    assert "does not separate having seen classes from how hard they are" in answer(table, 1.5)


def test_without_matched_classes_or_an_objective_there_is_no_answer():
    hits = drawn(100)
    alone = made({"out": hits["out"]})
    assert alone.empty and seen_class_scalars(alone) == {} and answer(alone, 1.5) == ""
    assert answer(made(hits, own=None), 1.5) == ""


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0.01, 0.05, 0.001, 0.02, 0.04, 0.9), MATTERS),
        ((-0.05, -0.01, 0.001, -0.04, -0.02, 0.9), MATTERS),
        ((0.001, 0.01, 0.03, 0.002, 0.009, 0.01), NEGLIGIBLE),
        ((-0.01, 0.01, 0.9, -0.009, 0.009, 0.01), EQUIVALENT),
        ((-0.01, 0.02, 0.9, -0.009, 0.016, 0.04), UNDECIDED),  # the bootstrap's interval disagrees with Student's t
        ((-0.05, 0.05, 0.9, -0.04, 0.04, 0.2), UNDECIDED),
    ],
)
def test_a_verdict_needs_its_test(numbers, expected):
    assert verdict(*numbers, margin=0.015) == expected


def test_answers_are_read_by_image_and_what_lacks_one_is_refused(tmp_path):
    hits = np.random.default_rng(0).random((2, 3, 10)) < 0.5
    for name in ("colorization", "swapped"):
        write_crossover(tmp_path, name, {"matched": hits})
    found = read_task_hits(tmp_path, ["colorization", "swapped"], [], "conv")
    assert set(found) == {"matched"}
    task = found["matched"]["colorization"]
    np.testing.assert_array_equal(task.hits, hits[:, :, [int(image.split("/")[1]) for image in task.images]])
    path = tmp_path / "swapped/crossover/predictions.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(StageError, match="task 'matched' must have each image once"):
        read_task_hits(tmp_path, ["colorization", "swapped"], [], "conv")
    path.write_text(lines[0] + "".join(line for line in lines if "apple/" in line))
    with pytest.raises(StageError, match="of other images, labels or probe seeds"):
        read_task_hits(tmp_path, ["colorization", "swapped"], [], "conv")
