import numpy as np
import pandas as pd
import pytest

from stages.comparison.cells import COLUMNS, comparison_cells, headline, mean_rows
from stages.comparison.report import comparison_text

CHANCE = {"in": 0.25, "out": 0.5}


def predictions(accuracy: float, seed: int = 0, images: int = 200) -> pd.DataFrame:
    """Two seeds of the conv probe and one of the linear probe; an image is right with that probability."""
    rng = np.random.default_rng(seed)
    rows = []
    for domain in ("in", "out"):
        for head, probe_seed in (("conv", 0), ("conv", 1), ("linear", 0)):
            for image in range(images):
                hit = rng.random() < accuracy
                key = (domain, head, probe_seed, f"{domain}/{image:04}")
                rows.append((*key, f"{domain}a", f"{domain}{'a' if hit else 'b'}", int(hit), 1 - 0.5 * hit))
    columns = ["domain", "head", "seed", "image", "label", "predicted", "top5", "loss"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def tables():
    return {"rgb": predictions(0.5, 1), "random": predictions(0.3, 2), "colorization": predictions(0.6, 3)}


@pytest.fixture(scope="module")
def cells(tables):
    return comparison_cells(tables, resamples=500, seed=0)


def cell(cells, representation, seed="mean", domain="in", head="conv"):
    chosen = {"domain": domain, "head": head, "representation": representation, "seed": seed}
    return cells[(cells[list(chosen)] == pd.Series(chosen)).all(axis=1)].iloc[0]


def test_there_is_a_row_for_every_seed_and_one_over_them(cells):
    assert list(cells) == COLUMNS
    assert len(cells) == 2 * 3 * ((2 + 1) + (1 + 1))
    assert not cells.duplicated(["domain", "head", "representation", "seed"]).any()


def test_rows_by_seed_are_plain_averages_and_mean_is_their_mean(cells, tables):
    own = tables["rgb"].query("domain == 'in' and head == 'conv'")
    hit = own["label"] == own["predicted"]
    for seed in (0, 1):
        row = cell(cells, "rgb", str(seed))
        assert row.accuracy == pytest.approx(hit[own["seed"] == seed].mean())
        assert row.loss == pytest.approx(own.loc[own["seed"] == seed, "loss"].mean())
        assert np.isnan(row.accuracy_low) and np.isnan(row.lift)
    row = cell(cells, "rgb")
    assert row.accuracy == pytest.approx(hit.mean()) and row.top_5 == pytest.approx(own["top5"].mean())
    assert row.accuracy_low < row.accuracy < row.accuracy_high


def test_a_lift_is_colorization_minus_the_row_within_its_interval(cells):
    for domain in ("in", "out"):
        for head in ("conv", "linear"):
            subject = cell(cells, "colorization", domain=domain, head=head)
            assert np.isnan([subject.lift, subject.lift_low, subject.lift_high]).all()
            for name in ("rgb", "random"):
                row = cell(cells, name, domain=domain, head=head)
                assert row.lift == pytest.approx(subject.accuracy - row.accuracy, abs=2e-6)
                assert row.lift_low < row.lift < row.lift_high


def test_a_representation_that_is_colorization_by_another_name_has_a_lift_of_exactly_0(tables):
    twin = {"colorization": tables["colorization"], "rgb": tables["colorization"]}
    row = cell(comparison_cells(twin, resamples=200, seed=0), "rgb")
    assert (row.lift, row.lift_low, row.lift_high) == (0, 0, 0)


def test_intervals_follow_from_the_seed(tables, cells):
    assert comparison_cells(tables, resamples=500, seed=0).equals(cells)
    assert not comparison_cells(tables, resamples=500, seed=1).equals(cells)


def test_adding_a_representation_leaves_the_others_as_they_were(tables, cells):
    fewer = {name: tables[name] for name in ("rgb", "colorization")}
    found = comparison_cells(fewer, resamples=500, seed=0)
    kept = cells[cells["representation"] != "random"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, kept)


def test_the_headline_is_the_conv_probe_its_lifts_and_chance(cells):
    found = headline(cells, {"in": 1 / 3, "out": 0.5})
    assert set(found) == {"in_domain", "out_of_domain"}
    expected = {"chance", "rgb", "random", "colorization", "lift_over_rgb", "lift_over_random"}
    assert set(found["in_domain"]) == set(found["out_of_domain"]) == expected
    assert found["in_domain"]["chance"] == 0.333333
    assert found["in_domain"]["rgb"] == {"accuracy": cell(cells, "rgb").accuracy}
    lift = cell(cells, "colorization", domain="out").accuracy - cell(cells, "random", domain="out").accuracy
    assert found["out_of_domain"]["lift_over_random"] == pytest.approx(lift, abs=2e-6)


def test_without_colorization_there_are_no_lifts(tables):
    cells = comparison_cells({"rgb": tables["rgb"], "random": tables["random"]}, resamples=200, seed=0)
    assert cells["lift"].isna().all()
    assert set(headline(cells, CHANCE)["in_domain"]) == {"chance", "rgb", "random"}
    assert "None" not in comparison_text(mean_rows(cells), {"in": 4, "out": 2})


def test_the_printed_table_names_chance_and_every_representation(cells):
    text = comparison_text(mean_rows(cells), {"in": 4, "out": 2})
    assert "Guessing among 4 classes is right in 25.0 % of cases." in text
    row = cell(cells, "rgb")
    line = next(line for line in text.splitlines() if line.startswith("  rgb"))
    assert f"{100 * row.accuracy:.1f} ± " in line and f"{100 * row.lift:+.1f} (" in line
    assert all(len(line) <= 110 for line in text.splitlines())
