import numpy as np
import pandas as pd
import pytest

from stages.comparison.layers import read_layers
from stages.comparison.predictions import read_predictions
from stages.runtime.errors import StageError
from tests.comparison.probes import PRIMARY, rewrite, write_findings


def read(place):
    return read_predictions(place / "predictions.csv", read_layers(place / "layers.csv", PRIMARY), ["ridge"])


def test_scores_are_seeds_by_images_and_a_class_may_be_called_nan(tmp_path):
    hit = np.random.default_rng(1).random((2, 3, 8)) < 0.5
    place = write_findings(
        tmp_path, "random", images=8, seeds=3, pretraining_seeds=2, hits={("in", "mid", "conv"): hit}
    )
    found = read(place)["in"]
    order = np.argsort([f"{name}/{i}" for i, name in enumerate(["apple", "cake", "nan", "stew"] * 2)])
    assert list(found.images) == sorted(found.images) and set(found.labels) == {"apple", "cake", "nan", "stew"}
    assert all(image.split("/")[0] == label for image, label in zip(found.images, found.labels, strict=True))
    scores = found.scores["mid", "conv"]
    np.testing.assert_array_equal(scores.hit, hit[..., order])
    np.testing.assert_array_equal(scores.top_5, scores.hit)
    np.testing.assert_array_equal(scores.loss, 1.5 - scores.hit)
    assert found.scores["latent", "linear"].hit.shape == found.scores["down_0", "ridge"].hit.shape == (2, 1, 8)
    np.testing.assert_array_equal(found.predicted == found.labels, found.scores["down_1", "conv"].hit[0, 0])


def test_row_order_does_not_matter_but_is_known_for_the_arrays_beside(tmp_path):
    place = write_findings(tmp_path, "random")
    before = read(place)["out"]
    rewrite(place / "predictions.csv", lambda rows: rows.sample(frac=1, random_state=0))
    after = read(place)["out"]
    for key, scores in before.scores.items():
        np.testing.assert_array_equal(scores.hit, after.scores[key].hit)
    table = pd.read_csv(place / "predictions.csv", keep_default_na=False)
    first = table[(table["domain"] == "out") & (table["layer"] == "down_0")]["image"].to_numpy()
    np.testing.assert_array_equal(first[after.order], after.images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="loss"), "must have the columns"),
        (lambda rows: rows[:0], "must have the columns"),
        (
            lambda rows: rows.assign(loss=np.inf),
            "must be a finite number; got 'inf'. A probe diverged: lower probe",
        ),
        (lambda rows: rows.assign(loss="much"), "line 2: loss must be a finite number; got 'much'"),
        (lambda rows: rows.assign(loss=""), "line 2: loss must be a finite number; got 'nan'"),
        (lambda rows: rows.assign(seed=-1), "from 0 to 99"),
        (lambda rows: rows.assign(top5=2), "top5 be 0 or 1"),
        (lambda rows: pd.concat((rows, rows[:1])), "twice"),
        (lambda rows: rows[rows["domain"] == "in"], "missing: out, down_0, ridge; "),
        (lambda rows: rows[(rows["layer"] != "mid") | (rows["head"] != "knn")], "missing: in, mid, knn; out, mid, knn"),
        (lambda rows: rows.replace("knn", "svm"), "superfluous: in, down_1, svm"),
        (lambda rows: rows[1:], "do not predict|does not predict"),
        (lambda rows: rows.assign(seed=rows["seed"] * 2), "does not predict the same images"),
        (lambda rows: rows.assign(label=rows["label"].where(rows["seed"] == 0, "cake")), "with the same labels"),
        (lambda rows: rows[rows["image"].isin(["apple/000000", "bread/000000"])], "intervals need two"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, change, message):
    place = write_findings(tmp_path, "random")
    rewrite(place / "predictions.csv", change)
    with pytest.raises(StageError, match=message):
        read(place)
