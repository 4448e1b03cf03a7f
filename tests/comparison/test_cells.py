import numpy as np
import pytest

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.tables import COMPARISON
from tests.comparison.studies import study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study"), images=200, pretraining_seeds=2)


@pytest.fixture(scope="module")
def cells(made):
    return comparison_cells(*made, "colorization")


def cell(cells, representation, seed=("mean", "mean"), layer=None, domain="in", head="conv"):
    layer = layer or ("pixels" if representation in ("rgb", "lightness") else "down_1")
    key = dict(zip(COMPARISON.names[:6], (domain, head, representation, layer, *seed), strict=True))
    return cells[(cells[list(key)] == list(key.values())).all(axis=1)].squeeze()


def test_there_is_a_row_for_every_seed_and_one_over_them(cells):
    assert list(cells) == COMPARISON.names
    pixels, encoders = 2 * (1 * 2 + 1) + 3 * 2 * (1 + 1), 3 * 3 * ((2 * 2 + 1) + 3 * (2 + 1))
    assert len(cells) == 2 * (pixels + encoders)
    assert not cells.duplicated(COMPARISON.names[:6]).any()


def test_rows_by_seed_are_plain_averages_and_mean_is_their_mean(cells, made):
    scores = made[0][2].predictions["in"].scores["mid", "conv"]
    for pretraining_seed in (0, 1):
        for seed in (0, 1):
            row = cell(cells, "random", (str(pretraining_seed), str(seed)), layer="mid")
            assert row.accuracy == pytest.approx(scores.hit[pretraining_seed, seed].mean(), abs=1e-6)
            assert row.loss == pytest.approx(scores.loss[pretraining_seed, seed].mean(), abs=1e-6)
            assert np.isnan(row.accuracy_low) and np.isnan(row.lift)
    row = cell(cells, "random", layer="mid")
    assert row.accuracy == pytest.approx(scores.hit.mean(), abs=1e-6)
    assert row.top_5 == pytest.approx(scores.top_5.mean(), abs=1e-6)
    assert row.accuracy_low < row.accuracy < row.accuracy_high


def test_a_lift_is_colorization_minus_the_row_on_the_primary_layer_within_its_interval(cells):
    for domain in ("in", "out"):
        for head in ("conv", "linear", "knn", "ridge"):
            where = {"domain": domain, "head": head}
            subject = cell(cells, "colorization", **where)
            assert np.isnan(subject.lift) and np.isnan(cell(cells, "random", layer="mid", **where).lift)
            for name in ("rgb", "random"):
                row = cell(cells, name, **where)
                assert row.lift == pytest.approx(subject.accuracy - row.accuracy, abs=2e-6)
                assert row.lift_low < row.lift < row.lift_high


def test_adding_a_representation_leaves_the_others_as_they_were(tmp_path):
    whole = comparison_cells(*study(tmp_path, images=50), "colorization")
    fewer = comparison_cells(*study(tmp_path, {"rgb": 0}, {"colorization": 0}), "colorization")
    kept = whole[whole["representation"].isin(("rgb", "colorization"))].reset_index(drop=True)
    assert fewer.equals(kept)
    assert not comparison_cells(*study(tmp_path, {"rgb": 0}, {"colorization": 0}, seed=1), "colorization").equals(kept)


def test_a_mean_row_has_each_view_that_it_stands_for(tmp_path, made, cells):
    means = mean_rows(cells, made[0])
    assert list(means)[:6] == ["domain", "head", "representation", "layer", "view", "pretraining_seed"]
    views = means.query("domain == 'in' and head == 'knn'")[["representation", "layer", "view"]].apply(tuple, axis=1)
    assert views.to_list() == [
        ("rgb", "pixels", "primary"),
        ("lightness", "pixels", "primary"),
        *((name, *own) for name in ("random", "reconstruction", "colorization") for own in (
            ("down_1", "primary"),
            ("latent", "latent"),
            ("mid", "best"),
        )),
    ]  # fmt: skip
    one = study(tmp_path, {}, {"random": 0.5}, images=20, best=None)
    means = mean_rows(comparison_cells(*one, None), one[0]).query("domain == 'in' and head == 'conv'")
    assert list(means["view"]) == ["primary", "latent", "best"] and means["accuracy"].nunique() == 2
