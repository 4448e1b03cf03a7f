import numpy as np
import pandas as pd
import pytest

from stages.reporting import tables
from stages.reporting.results import read_results
from tests.reporting.study import LABELS, write_study

OBJECTIVES, CONTROLS = ["colorization", "split_brain"], ["random", "autoencoder"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    write_study(root, objectives=OBJECTIVES, controls=CONTROLS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        yield root, read_results(OBJECTIVES, CONTROLS)


def numbers(table: tables.Table, column: str) -> list[float]:
    place = table.columns.index(column)
    return [float(row[place]) for row in table.rows]


def in_domain(root, name: str) -> pd.DataFrame:
    return pd.read_csv(root / f"metrics/{name}.csv").query("domain == 'in'")


def test_accuracies_are_those_of_the_file(study):
    root, results = study
    table = tables.representation_table(results, "in", "Seen")
    cells = in_domain(root, "comparison").query("seed == 'mean'")
    for head in ("conv", "linear", "knn", "ridge"):
        means = cells[cells["head"] == head]
        assert [row[:2] for row in table.rows] == means[["representation", "layer"]].to_numpy().tolist()
        np.testing.assert_allclose(numbers(table, head), 100 * means["accuracy"], atol=0.0501)
        place = table.columns.index(f"{head} 95 %")
        low, high = zip(*(map(float, row[place].split(" to ")) for row in table.rows), strict=True)
        np.testing.assert_allclose(low, 100 * means["accuracy_low"], atol=0.0501)
        np.testing.assert_allclose(high, 100 * means["accuracy_high"], atol=0.0501)
    assert dict((row[0], row[-1]) for row in table.rows)["split_brain"] == "colour"


def test_seen_classes_are_told_task_by_task(study):
    _, results = study
    accuracies, effects = tables.seen_class_tables(results.seen_classes)
    assert accuracies.columns[:4] == ["representation", "matched", "matched 95 %", "held out"]
    trained = {row[0]: row[-1] for row in accuracies.rows}
    assert (trained["colorization"], trained["swapped"], trained["rgb"]) == ("matched", "held out", "neither")
    assert [row[0] for row in effects.rows] == ["difference", "difference", "effect"] * 2
    assert [row[-1] for row in effects.rows if row[0] == "effect"] == ["does not matter", "undecided"]
    assert tables.seen_class_tables(results.seen_classes.iloc[:0]) == []


def test_lifts_are_those_of_the_file_and_only_wins_are_called_so(study):
    root, results = study
    table, lifts = tables.lift_table(results, "in", "Seen"), in_domain(root, "lifts")
    lifts = lifts[(lifts["view"] == "primary") | (lifts["head"] == "conv")]
    for column, name in (
        ("lift", "lift"),
        ("from", "lift_low"),
        ("to", "lift_high"),
        ("detectable", "minimum_detectable"),
    ):
        np.testing.assert_allclose(numbers(table, column), 100 * lifts[name], atol=0.0501)
    assert [row[-1] == "beats" for row in table.rows] == (lifts["win"] == 1).tolist()
    assert {row[-1] for row in table.rows} > {"beats"}


@pytest.mark.parametrize(
    ("make", "name"), [(tables.efficiency_table, "label_efficiency"), (tables.depth_table, "depth")]
)
def test_curves_are_those_of_the_files(study, make, name):
    root, results = study
    table, rows = make(results, "in", "Seen"), in_domain(root, name)
    rows = rows[rows["view"] == "primary"] if name == "label_efficiency" else rows
    accuracy = "test" if name == "depth" else "accuracy"
    for column, key in ((accuracy, "accuracy"), ("from", "accuracy_low"), ("to", "accuracy_high")):
        np.testing.assert_allclose(numbers(table, column), 100 * rows[key], atol=0.0501)


def test_ratios_and_lifts_with_few_labels_are_those_of_the_files(study):
    root, results = study
    table, rows = tables.ratio_table(results, "in", "Seen"), in_domain(root, "ratios").query("head == 'conv'")
    for column, name in (("ratio", "ratio"), ("above chance", "chance_corrected")):
        np.testing.assert_allclose(numbers(table, column), rows[name], atol=0.00501)
    assert table.rows[0][-1] == "0.90 to 1.70"
    out = tables.ratio_table(results, "out", "Held out")
    assert {tuple(row[-2:]) for row in out.rows} == {("", "")}
    table, rows = tables.few_shot_lift_table(results, "in", "Seen"), in_domain(root, "few_shot_lifts")
    rows = rows[rows["view"] == "primary"]
    np.testing.assert_allclose(numbers(table, "lift"), 100 * rows["lift"], atol=0.0501)
    assert [row[-1] == "beats" for row in table.rows] == (rows["win"] == 1).tolist()


def test_intervals_over_other_classes_stand_beside_those_over_images(study):
    _, results = study
    row = tables.class_table(results, "in", "Seen").rows[0]
    assert row == ["rgb", "pixels", "52.0", "45.9 to 58.4", "42.9 to 61.4"]


def test_the_online_probe_has_a_column_an_encoder_and_starts_with_the_untrained_one(study):
    _, results = study
    table = tables.online_table(results, "in", "Seen")
    assert set(table.columns) == {"epoch", *OBJECTIVES, *CONTROLS}
    assert [row[0] for row in table.rows] == ["0", "1", "2", "3", "4", "5", "6"]
    assert table.rows[0][table.columns.index("random")] == "12.5"


def test_a_class_may_be_called_nan(study):
    _, results = study
    pairs = results.confused[results.confused["representation"] == "rgb"]
    table = tables.confused_table(pairs[pairs["domain"] == "in"], "rgb", "Seen")
    assert [row[0] for row in table.rows][:4] == LABELS
    assert table.rows[0][2:] == ["20", "8.0"]


def test_training_has_a_row_an_epoch_and_an_untrained_encoder_one(study):
    _, results = study
    rows = tables.training_table(results.training).rows
    assert rows[0] == ["random", "0", "", "1.6000"]  # 1.5 + 0.1, before any step; no loss on training images
    assert [row[1] for row in rows if row[0] == "colorization"] == ["1", "2", "3", "4", "5", "6"]
    assert rows[-1] == ["split_brain", "6", "0.2143", "0.3143"]  # 1.5 / 7, and 0.1 more


def test_the_truth_comes_last_and_has_only_what_a_photograph_has(study):
    _, results = study
    table = tables.quality_table(results.quality["in_domain"], "Seen")
    assert [row[0] for row in table.rows][:2] == OBJECTIVES
    assert table.rows[-1] == ["truth", "", "", "", "", "", "", "44.0", "55.0"]
