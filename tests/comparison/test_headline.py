import pytest

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.headline import headline
from stages.comparison.lifts import lift_table, typical_detectable
from stages.comparison.summary import comparison_text
from tests.comparison.studies import study

CHANCE = {"in": 1 / 3, "out": 0.5}


def made(folder, **options):
    representations, columns = study(folder, images=100, **options)
    return mean_rows(comparison_cells(representations, columns), representations), lift_table(representations, columns)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return made(tmp_path_factory.mktemp("study"), pixels={"rgb": 0.5, "rgb_small": 0.5})


def accuracy(means, name, view="headline", domain="in"):
    own = means.query("head == 'conv' and domain == @domain and representation == @name and view == @view")
    return own["accuracy"].item()


def test_the_headline_is_the_conv_probe_its_lifts_and_chance(tables):
    means, lifts = tables
    found = headline(means, lifts, CHANCE)
    encoders = {"random", "reconstruction", "colorization"}
    over = {f"lift_over_{name}" for name in ("rgb", "random", "reconstruction")}  # of pixels, the full-size ones
    expected = {"chance", "minimum_detectable", "rgb", "rgb_small", *encoders, *over}
    assert set(found["in_domain"]) == set(found["out_of_domain"]) == expected
    own = found["in_domain"]
    assert own["chance"] == 0.333333 and own["minimum_detectable"] == typical_detectable(lifts, "in")
    assert own["rgb"] == {"accuracy": accuracy(means, "rgb")}
    best = accuracy(means, "random", "best")
    assert own["random"] == {"accuracy": accuracy(means, "random"), "best_layer_accuracy": best}
    assert set(own["colorization"]) == {"accuracy", "best_layer_accuracy", "best_layer_lift_over_rgb"}
    best_lift = lifts.query("head == 'conv' and domain == 'in' and view == 'best' and over == 'rgb'")["lift"].item()
    assert own["colorization"]["best_layer_lift_over_rgb"] == best_lift
    lift = accuracy(means, "colorization", domain="out") - accuracy(means, "random", domain="out")
    assert found["out_of_domain"]["lift_over_random"] == pytest.approx(lift, abs=2e-6)


def test_without_colorization_its_lifts_are_left_out_and_others_are_not(tmp_path):
    means, lifts = made(tmp_path, encoders={"random": 0.3, "split_brain": 0.6})
    found = headline(means, lifts, CHANCE)["in_domain"]
    assert set(found) == {"chance", "minimum_detectable", "rgb", "lightness", "random", "split_brain"}
    assert {"lift_over_rgb", "best_layer_lift_over_rgb"} <= set(found["split_brain"])
    text = comparison_text(means, lifts, {"in": 4, "out": 2})
    assert "nan" not in text and "None" not in text and "split_brain over" in text


def test_of_pixels_alone_there_is_accuracy_and_chance(tmp_path):
    means, lifts = made(tmp_path, encoders={})
    assert set(headline(means, lifts, CHANCE)["in_domain"]) == {"chance", "rgb", "lightness"}
    assert "Wins" not in comparison_text(means, lifts, {"in": 4, "out": 2})
