import pytest

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.headline import headline
from stages.comparison.lifts import lift_table, typical_detectable
from stages.comparison.ratios import ratio_table
from stages.comparison.summary import comparison_text
from stages.comparison.tables import LABELS_SAVED
from tests.comparison.studies import ENDPOINT, study

CHANCE = {"in": 1 / 3, "out": 0.5}
NOT_FINETUNED = LABELS_SAVED.frame([])


def made(folder, endpoint=ENDPOINT, **options):
    representations, columns = study(folder, images=100, **options)
    means = mean_rows(comparison_cells(representations, columns, endpoint.subject), representations)
    return means, lift_table(representations, columns, endpoint), ratio_table(representations, columns, CHANCE)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return made(tmp_path_factory.mktemp("study"), pixels={"rgb": 0.5, "rgb_small": 0.5})


def accuracy(means, name, view="primary", domain="in"):
    own = means.query("head == 'conv' and domain == @domain and representation == @name and view == @view")
    return own["accuracy"].item()


def test_the_headline_is_the_conv_probe_its_lifts_and_chance(tables):
    means, lifts, ratios = tables
    found = headline(means, lifts, ratios, NOT_FINETUNED, CHANCE, ENDPOINT)
    encoders = {"random", "reconstruction", "colorization"}
    over = {f"lift_over_{name}" for name in ("rgb", "random", "reconstruction")}  # of pixels, the full-size ones
    expected = {"chance", "minimum_detectable", "rgb", "rgb_small", *encoders, *over, "ratio_to_rgb"}
    assert set(found["in_domain"]) == {*expected, "chance_corrected_ratio_to_rgb"}
    assert set(found["out_of_domain"]) == expected  # where rgb is not better than chance
    own = found["in_domain"]
    ratio = accuracy(means, "colorization") / accuracy(means, "rgb")
    assert own["ratio_to_rgb"] == pytest.approx(ratio, abs=1e-5)
    assert own["chance"] == 0.333333 and own["minimum_detectable"] == typical_detectable(lifts, "in", "conv")
    assert own["rgb"] == {"accuracy": accuracy(means, "rgb")}
    best = accuracy(means, "random", "best")
    latent = accuracy(means, "random", "latent")
    assert own["random"] == {
        "accuracy": accuracy(means, "random"), "best_layer_accuracy": best, "latent_accuracy": latent,
    }  # fmt: skip
    assert set(own["colorization"]) == {
        *("accuracy", "best_layer_accuracy", "latent_accuracy"),
        *("best_layer_lift_over_rgb", "latent_lift_over_rgb"),
    }
    best_lift = lifts.query("head == 'conv' and domain == 'in' and view == 'best' and over == 'rgb'")["lift"].item()
    assert own["colorization"]["best_layer_lift_over_rgb"] == best_lift
    lift = accuracy(means, "colorization", domain="out") - accuracy(means, "random", domain="out")
    assert found["out_of_domain"]["lift_over_random"] == pytest.approx(lift, abs=2e-6)


def test_the_lifts_are_those_of_the_objective_that_comes_first(tmp_path):
    endpoint = ENDPOINT._replace(subject="split_brain")
    means, lifts, ratios = made(tmp_path, endpoint, encoders={"random": 0.3, "split_brain": 0.6})
    found = headline(means, lifts, ratios, NOT_FINETUNED, CHANCE, endpoint)["in_domain"]
    assert set(found) == {
        *("chance", "minimum_detectable", "rgb", "lightness", "random", "split_brain"),
        *("lift_over_rgb", "lift_over_lightness", "lift_over_random"),
        *("ratio_to_rgb", "chance_corrected_ratio_to_rgb"),
    }
    text = comparison_text(means, lifts, NOT_FINETUNED, {"in": 4, "out": 2}, endpoint)
    assert "nan" not in text and "None" not in text and "split_brain over" in text


def test_of_pixels_alone_there_is_accuracy_and_chance(tmp_path):
    endpoint = ENDPOINT._replace(subject=None)
    means, lifts, ratios = made(tmp_path, endpoint, encoders={})
    found = headline(means, lifts, ratios, NOT_FINETUNED, CHANCE, endpoint)
    assert set(found["in_domain"]) == {"chance", "rgb", "lightness"} and "primary" not in found
    text = comparison_text(means, lifts, NOT_FINETUNED, {"in": 4, "out": 2}, endpoint)
    assert "Wins" not in text and "Primary" not in text and "None" not in text
