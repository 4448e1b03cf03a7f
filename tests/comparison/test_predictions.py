import numpy as np
import pandas as pd
import pytest

from stages.comparison.predictions import read_predictions, scores_of
from stages.shared.errors import StageError


def table() -> pd.DataFrame:
    rows = [
        (domain, head, seed, f"{label}/{number}", label, "nan", int(number > 0), 0.5 * number)
        for domain, labels in (("in", ("nan", "pie")), ("out", ("soup", "tart")))
        for head, seed in (("conv", 0), ("conv", 1), ("linear", 0))
        for label in labels
        for number in range(3)
    ]
    return pd.DataFrame(rows, columns=["domain", "head", "seed", "image", "label", "predicted", "top5", "loss"])


def write(folder, name, content):
    (folder / name).mkdir()
    content.to_csv(folder / name / "predictions.csv", index=False)


def test_scores_are_seeds_by_images_and_row_order_does_not_matter(tmp_path):
    write(tmp_path, "rgb", table())
    write(tmp_path, "random", table().sample(frac=1, random_state=0))
    write(tmp_path, "not_listed", table()[:3])
    found = read_predictions(tmp_path, ["rgb", "random"])
    assert list(found) == ["rgb", "random"]
    pd.testing.assert_frame_equal(found["rgb"], found["random"])
    scores = scores_of(found["rgb"], "in", "conv")
    expected = [1, 1, 1, 0, 0, 0]  # a class may be called `nan`
    np.testing.assert_array_equal(scores.hit, [expected, expected])
    np.testing.assert_array_equal(scores.top_5[0], [0, 1, 1, 0, 1, 1])
    np.testing.assert_array_equal(scores_of(found["rgb"], "out", "linear").loss, [[0, 0.5, 1, 0, 0.5, 1]])


def test_a_missing_representation_is_named(tmp_path):
    write(tmp_path, "rgb", table())
    with pytest.raises(StageError, match="lists 'random'"):
        read_predictions(tmp_path, ["rgb", "random"])


def other_label(rows):
    return rows.assign(label=rows["label"].replace("pie", "cake"))


def other_images(rows):
    return rows.assign(image=rows["image"] + "0")


def fewer_seeds(rows):
    return rows[rows["seed"] == 0]


@pytest.mark.parametrize("change", [other_label, other_images, fewer_seeds])
def test_what_cannot_be_paired_is_refused(tmp_path, change):
    write(tmp_path, "rgb", table())
    write(tmp_path, "random", change(table()))
    with pytest.raises(StageError, match="'random' and 'rgb' did not predict the same images"):
        read_predictions(tmp_path, ["rgb", "random"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="loss"), "must have the columns"),
        (lambda rows: rows[:0], "must have the columns"),
        (lambda rows: rows.assign(loss=np.inf), "not finite"),
        (lambda rows: rows.assign(loss="much"), "not a table of predictions"),
        (lambda rows: pd.concat((rows, rows[:1])), "twice"),
        (lambda rows: rows[rows["domain"] == "in"], "both heads on both domains"),
        (lambda rows: rows[1:], "do not predict the same images"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, change, message):
    write(tmp_path, "rgb", change(table()))
    with pytest.raises(StageError, match=message):
        read_predictions(tmp_path, ["rgb"])
