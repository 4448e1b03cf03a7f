import numpy as np
import pytest

from stages.comparison.few_shot import read_few_shot
from stages.comparison.layers import read_layers
from stages.comparison.predictions import read_predictions
from stages.runtime.errors import StageError
from tests.comparison.probes import PRIMARY, rewrite, write_findings


def read(place):
    layers = read_layers(place / "layers.csv", PRIMARY)
    return read_few_shot(place, layers, read_predictions(place / "predictions.csv", layers, ["ridge"]))


def test_answers_are_seeds_by_draws_by_images_in_the_order_of_names(tmp_path):
    hits = np.random.default_rng(0).integers(0, 2, (2, 2, 8), dtype=np.uint8)
    place = write_findings(
        tmp_path, "random", images=8, pretraining_seeds=2, hits={("in", "mid", "few_shot", "5"): hits}
    )
    found = read(place)
    assert set(found) == {(domain, layer) for domain in ("in", "out") for layer in ("down_1", "latent", "mid")}
    assert [(few.shots, few.labels, few.hits.shape) for few in found["in", "mid"]] == [
        ("1", 1, (2, 2, 8)),
        ("5", 5, (2, 2, 8)),
        ("all", 20, (2, 1, 8)),
    ]
    order = [0, 4, 1, 5, 2, 6, 3, 7]  # apple, apple, cake, ... where the file has apple, cake, nan, stew, apple, ...
    np.testing.assert_array_equal(found["in", "mid"][1].hits, hits[..., order])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="draw"), "not a table of the few-shot probe"),
        (lambda rows: rows[rows["layer"] == "mid"], "the layers of every view"),
        (lambda rows: rows[1:], "a row for each of few_shot.csv"),
        (lambda rows: rows.assign(test_accuracy=0.123), "of different runs"),
        (lambda rows: rows.assign(draw=rows["draw"] + 1), "counted from 0"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, change, message):
    place = write_findings(tmp_path, "random")
    rewrite(place / "few_shot.csv", change)
    with pytest.raises(StageError, match=message):
        read(place)


def test_what_is_missing_is_named(tmp_path):
    place = write_findings(tmp_path, "random")
    (place / "few_shot/out-mid.npy").unlink()
    with pytest.raises(StageError, match=r"out-mid\.npy is missing"):
        read(place)
    (place / "few_shot.csv").unlink()
    with pytest.raises(StageError, match=r"few_shot\.csv is missing"):
        read(place)
