import math

import numpy as np
import pandas as pd
import pytest

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.headline import headline
from stages.comparison.label_efficiency import label_efficiency
from stages.comparison.labels_saved import labels_saved_table, labels_to_reach
from stages.comparison.lifts import holm, lift_table
from stages.comparison.summary import comparison_text
from stages.comparison.tables import LABELS_SAVED, RATIOS
from stages.runtime.errors import StageError
from stages.study.labels_saved import saved_sentence
from tests.comparison.probes import rewrite, write_finetuned
from tests.comparison.studies import ENDPOINT, study

ENCODERS = {"random": 0.3, "reconstruction": 0.4, "supervised": 0.5, "colorization": 0.6}
SHOTS = {"1": 1.0, "4": 4.0, "all": 16.0}
IMAGES = 20


def right(count: int, seeds: int = 2) -> np.ndarray:
    """As many right answers of 20, spread over the classes, for each seed."""
    return np.tile(np.arange(IMAGES) < count, (1, seeds, 1))


def write(folder, name: str, counts: tuple[int, int, int], **options) -> None:
    hits = {
        (domain, shots): right(count) for domain in ("in", "out") for shots, count in zip(SHOTS, counts, strict=True)
    }
    write_finetuned(folder, name, shots=SHOTS, images=IMAGES, hits=hits, **options)


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory):
    """From scratch 5, 10 and 15 of 20 are right with 1, 4 and 16 labels a class; with colour in sight always 12."""
    folder = tmp_path_factory.mktemp("study")
    write(folder, "random", (5, 10, 15))
    write(folder, "rgb", (12, 12, 12))
    write(folder, "supervised", (19, 19, 19))
    write(folder, "colorization", (10, 12, 18))
    names = ("random", "rgb", "supervised", "colorization")
    return study(folder, {"rgb": 0.5}, ENCODERS, finetuned=names, images=IMAGES)


@pytest.mark.parametrize(
    ("accuracy", "curve", "needed"),
    [
        (0.5, [0.2, 0.4, 0.6], 8.0),  # half of the way from 4 to 16, in the logarithm
        (0.4, [0.2, 0.4, 0.6], 4.0),
        (0.5, [0.2, 0.6, 0.4], 2**1.5),  # the first crossing: three quarters of the way from 1 to 4
        (0.6, [0.2, 0.6, 0.6], 4.0),
        (0.2, [0.2, 0.4, 0.6], 1.0),
        (0.1, [0.2, 0.4, 0.6], 0.0),
        (0.7, [0.2, 0.4, 0.6], math.inf),
    ],
)
def test_labels_to_reach_an_accuracy_worked_out_by_hand(accuracy, curve, needed):
    found = labels_to_reach(np.array([accuracy]), np.array([curve]), np.array(list(SHOTS.values())))
    assert found == pytest.approx([needed])


def test_labels_saved_worked_out_by_hand(finetuned):
    table = labels_saved_table(*finetuned)
    assert list(table) == LABELS_SAVED.names and set(table["representation"]) == {"colorization"}
    own = table[(table["domain"] == "in") & (table["over"] == "random")]
    # 10 right is what random reaches with 4; 12 is two fifths of the way from 4 to 16; 18 is above its curve.
    expected = pd.DataFrame(
        {
            "labels": SHOTS.values(),
            "accuracy": [0.5, 0.6, 0.9],
            "labels_from_scratch": [4.0, 4 * 4**0.4, 16.0],
            "utility": [3.0, 4**0.4 - 1, 0.0],
        }
    )
    np.testing.assert_allclose(own[list(expected)], expected, atol=1e-6)
    assert list(own["bound"]) == ["", "", "more than"]
    # Of rgb, 12 right with 1 label: with fewer the curve says nothing.
    over_rgb = table[(table["domain"] == "in") & (table["over"] == "rgb")]
    assert list(over_rgb["bound"]) == ["at most", "", "more than"]
    assert list(over_rgb["labels_from_scratch"]) == [1, 1, 16]
    assert math.isnan(over_rgb["from_scratch_low"].iloc[0])


def test_an_interval_inverts_the_curve_in_every_resample(finetuned):
    """Here by the resamples themselves, of images alone: both seeds are equally right."""
    representations, estimates = finetuned
    table = labels_saved_table(representations, estimates)
    row = table[(table["domain"] == "out") & (table["over"] == "random")].iloc[0]
    own, *curve = (
        estimates["out"][name, "mid", "finetune", shots]
        for name, shots in [("colorization", "1"), *(("random", shots) for shots in SHOTS)]
    )
    assert not own.by_seed.any()
    t_over_z = 2.093024 / 1.959964  # Student's t with 19 degrees of freedom
    drawn = [
        labels_to_reach(
            np.array([0.5 + t_over_z * own.by_image[number]]),
            np.array([[point.images.mean() + t_over_z * point.by_image[number] for point in curve]]),
            np.array([1.0, 4.0, 16.0]),
        )[0]
        for number in range(len(own.by_image))
    ]
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")
    assert row["from_scratch_low"] == pytest.approx(low, abs=1e-5)
    assert row["from_scratch_high"] == pytest.approx(high, abs=1e-5)


def test_fine_tuning_is_a_head_of_its_own_in_every_table(finetuned):
    representations, estimates = finetuned
    cells = comparison_cells(representations, estimates, "colorization")
    means = mean_rows(cells, representations)
    tuned = means[means["head"] == "finetune"]
    assert list(tuned["representation"]) == ["rgb", "random", "supervised", "colorization"] * 2
    assert set(tuned["layer"]) == {"mid"} and set(tuned["view"]) == {"primary"}
    assert tuned["accuracy"].iloc[0] == 0.6 and tuned["lift"].iloc[0] == pytest.approx(0.3)
    assert means.duplicated(["domain", "head", "representation", "view"]).sum() == 0 and means["view"].notna().all()

    lifts = lift_table(representations, estimates, ENDPOINT)
    own = lifts[lifts["head"] == "finetune"]
    assert list(own["over"]) == ["rgb", "random", "supervised"] * 2  # reconstruction was not fine-tuned
    np.testing.assert_allclose(own["p_adjusted"], holm(list(own["p"])), rtol=1e-4)
    assert (own["primary"] == 0).all()

    curve = label_efficiency(representations, estimates).query("head == 'finetune' and representation == 'random'")
    assert list(curve["accuracy"]) == [0.25, 0.5, 0.75] * 2 and list(curve["shots"][:3]) == list(SHOTS)

    saved = labels_saved_table(representations, estimates)
    chance = {"in": 0.25, "out": 0.5}
    scalars = headline(means, lifts, RATIOS.frame([]), saved, chance, ENDPOINT)["in_domain"]["finetune"]
    assert scalars["colorization"] == {"accuracy": 0.9, "labels_saved_over_random": 3.0}  # not over rgb: at most 0
    assert scalars["random"] == {"accuracy": 0.75}

    text = comparison_text(means, lifts, saved, {"in": 4, "out": 2}, ENDPOINT)
    assert "Fine-tuned end to end on all labels: rgb 60.0 ± " in text
    assert "random from scratch takes 4 labels a class for that" in " ".join(text.split())


def test_probes_are_as_without_fine_tuning(finetuned, tmp_path):
    representations, estimates = finetuned
    others, without = study(tmp_path, {"rgb": 0.5}, ENCODERS, images=IMAGES)
    probes = comparison_cells(representations, estimates, "colorization").query("head != 'finetune'")
    pd.testing.assert_frame_equal(
        probes.reset_index(drop=True), comparison_cells(others, without, "colorization"), check_exact=True
    )
    assert labels_saved_table(others, without).empty


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (
            (4.0, "", 2.0, 9.0, "saves labels"),
            "takes 4 labels a class for that (95 % interval 2 to 9): pretraining saves 3 labels",
        ),
        (
            (16.0, "more than", 16.0, math.nan, "saves labels"),
            "more than 16 labels a class for that (95 % interval 16 or more): pretraining saves more than 15",
        ),
        (
            (4.0, "", math.nan, math.nan, "not shown"),
            "(95 % interval open at both ends): that it saves labels is not shown.",
        ),
        (
            (0.5, "at most", math.nan, 0.5, "costs labels"),
            "at most 0.5 labels a class for that (95 % interval up to 0.5): pretraining costs labels",
        ),
    ],
)
def test_a_sentence_claims_what_the_interval_shows(numbers, words):
    names = ["labels_from_scratch", "bound", "from_scratch_low", "from_scratch_high", "verdict"]
    row = {"representation": "colorization", "over": "random", "shots": "1", "draws": 2}
    row |= {"labels": 1.0, "accuracy": 0.5}
    assert words in saved_sentence(pd.Series(row | dict(zip(names, numbers, strict=True))))


@pytest.mark.parametrize(
    ("counts", "verdicts"),
    [((1, 1, 2), ["costs labels", "costs labels", "costs labels"]), ((19, 19, 20), ["saves labels"] * 3)],
)
def test_the_verdict_goes_beyond_the_ends_of_the_curve(tmp_path, counts, verdicts):
    """With the fewest labels pretraining can cost labels, and with the most it can save them."""
    write(tmp_path, "random", (9, 10, 11))
    write(tmp_path, "colorization", counts)
    table = labels_saved_table(
        *study(tmp_path, {}, {"random": 0.3, "colorization": 0.6}, finetuned=("random", "colorization"), images=IMAGES)
    )
    assert list(table.loc[table["domain"] == "in", "verdict"]) == verdicts
    first, last = (saved_sentence(row) for _, row in table.iloc[[0, 2]].iterrows())
    assert first.endswith(f"pretraining {verdicts[0]}.") or "pretraining saves more than 15 labels" in first
    assert last.endswith(f"pretraining {verdicts[2]}.")


def test_one_draw_of_labels_is_told():
    row = {"representation": "colorization", "over": "random", "shots": "1", "draws": 1, "labels": 1.0, "bound": ""}
    row |= {"accuracy": 0.5, "labels_from_scratch": 4.0, "from_scratch_low": 2.0, "from_scratch_high": 9.0}
    text = saved_sentence(pd.Series(row | {"verdict": "saves labels"}))
    assert "(95 % interval 2 to 9, of one draw of them)" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda place: (place / "predictions.csv").unlink(), r"predictions\.csv is missing, but finetune\.repres"),
        (
            lambda place: rewrite(place / "predictions.csv", lambda rows: rows[rows["domain"] == "in"]),
            "must hold fine-tuning in both domains alone; missing: out, mid, finetune",
        ),
        (
            lambda place: rewrite(place / "predictions.csv", lambda rows: rows[rows["image"] != "apple/000000"]),
            "predicts other test images of domain 'in'",
        ),
        (
            lambda place: rewrite(
                place / "few_shot.csv", lambda rows: rows.assign(shots=rows["shots"].replace("4", "5"))
            ),
            "'colorization' was not fine-tuned as 'random' was",
        ),
    ],
)
def test_what_does_not_fit_the_probes_or_other_fine_tuning_is_refused(tmp_path, change, message):
    for name in ("random", "colorization"):
        write(tmp_path, name, (5, 10, 15))
    study(tmp_path, {}, {"random": 0.3, "colorization": 0.6}, images=IMAGES)
    change(tmp_path / "finetune/colorization")
    with pytest.raises(StageError, match=message):
        study(tmp_path, {}, {"random": 0.3, "colorization": 0.6}, finetuned=("random", "colorization"), images=IMAGES)
