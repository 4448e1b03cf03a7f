from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest

from stages.reporting import figures
from stages.reporting.numbers import percent
from stages.reporting.results import read_results
from tests.reporting.study import write_study
from tests.reporting.svg import hinted, words

OBJECTIVES, CONTROLS = ["colorization"], ["random"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    write_study(root, objectives=OBJECTIVES, controls=CONTROLS, pixels=["rgb"], epochs=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return read_results(OBJECTIVES, CONTROLS)


def with_accuracy(results, accuracy):
    return replace(results, accuracy=accuracy)


def test_the_file_of_accuracies_shows_both_domains_and_needs_no_page(results):
    svg = figures.accuracy_file(results)
    ElementTree.fromstring(svg)
    assert {"Classes that the autoencoder saw", "Held-out classes", "conv probe"} <= set(words(svg))
    assert words(svg).count("colorization") == 2
    assert "var(" not in svg


def test_the_same_numbers_give_the_same_bytes_and_other_numbers_another_chart(results):
    accuracy = results.accuracy
    changed = with_accuracy(results, accuracy.assign(accuracy=accuracy["accuracy"] + 0.001))
    likelier = replace(results, chance=results.chance | {"in": 0.2})
    drawn = [figures.accuracy_file(each) for each in (results, results, changed, likelier)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_bars_are_of_every_layer_shown_and_best_layers_are_named(results):
    (seen, unseen) = figures.accuracy_figure(results, "conv")
    assert (seen.title, unseen.title) == ("Classes that the autoencoder saw", "Held-out classes")
    hints = [hint.split(":")[0] for hint in hinted(seen.drawing)]
    assert hints == ["rgb", "random mid", "random latent", "colorization mid", "colorization latent"]
    assert {"52.0", "45.0 latent", "50.0 mid"} <= set(words(seen.drawing))
    spoken = ElementTree.fromstring(seen.drawing).find("desc").text
    numbers = "rgb 52.0 %, random mid 31.0 %, random latent 26.0 %, colorization mid 50.0 %, colorization latent 45.0 %"
    assert spoken == f"Test accuracy: {numbers}."


def test_pixels_alone_can_be_drawn(results):
    pixels = with_accuracy(results, results.accuracy[results.accuracy["representation"] == "rgb"])
    (seen, _) = figures.accuracy_figure(pixels, "conv")
    assert [hint.split(":")[0] for hint in hinted(seen.drawing)] == ["rgb"]
    assert figures.accuracy_file(pixels)


def test_no_rows_no_panels(results):
    none = with_accuracy(results, results.accuracy[:0])
    assert figures.accuracy_figure(none, "conv") == []
    ElementTree.fromstring(figures.accuracy_file(none))


@pytest.mark.parametrize("view", ["primary", "best", "latent"])
def test_pixels_are_in_the_curves_of_all_views_and_encoders_in_their_own(results, view):
    (seen, _) = figures.efficiency_figure(results, view)
    assert {"rgb", "random", "colorization"} <= set(words(seen.drawing))
    curves = results.efficiency[(results.efficiency["domain"] == "in") & (results.efficiency["shots"] == "all")]
    (expected,) = curves[(curves["representation"] == "colorization") & (curves["view"] == view)]["accuracy"]
    assert f"colorization {percent(expected)} %" in ElementTree.fromstring(seen.drawing).find("desc").text
    assert f"colorization: {percent(expected)} %" in hinted(seen.drawing)


def test_fine_tuned_encoders_have_a_chart_of_their_own_and_are_in_no_other(results):
    assert figures.efficiency_figure(results, figures.FINETUNED_VIEW) == []
    rgb = results.efficiency[results.efficiency["representation"] == "rgb"]
    tuned = rgb.assign(head="finetune", layer="mid", accuracy=0.9999)
    added = replace(results, efficiency=pd.concat([results.efficiency, tuned]))
    (seen, _) = figures.efficiency_figure(added, figures.FINETUNED_VIEW)
    assert {hint.split(":")[0] for hint in hinted(seen.drawing)} == {"rgb"}
    assert figures.efficiency_figure(added, "primary") == figures.efficiency_figure(results, "primary")


def test_an_encoder_that_was_not_trained_has_no_chart_of_losses(results):
    assert [panel.title for panel in figures.training_figure(results)] == ["colorization"]


def test_charts_take_the_colours_of_the_page(results):
    for panels in (figures.lift_figure(results, "conv"), figures.depth_figure(results), figures.probe_figure(results)):
        assert len(panels) == 2
        for panel in panels:
            assert "var(--muted)" in panel.drawing
            assert "#" not in panel.drawing
