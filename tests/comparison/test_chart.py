import xml.etree.ElementTree

import pandas as pd
import pytest

from stages.comparison.chart import accuracy_figure, draw_accuracy_chart

CHANCE = {"in": 0.1, "out": 0.25}
COLUMNS = ["domain", "head", "representation", "layer", "view", "accuracy", "accuracy_low", "accuracy_high"]


@pytest.fixture
def means():
    rows = [
        (domain, head, name, layer, view, accuracy, accuracy - 0.02, accuracy + 0.03)
        for domain in ("in", "out")
        for head in ("conv", "linear", "knn", "ridge")
        for name, layer, view, accuracy in (
            ("rgb", "pixels", "headline", 0.5),
            ("colorization", "latent", "headline", 0.02),
            ("colorization", "mid", "best", 0.04),
        )
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_same_numbers_give_the_same_bytes_and_no_date(tmp_path, means):
    draw_accuracy_chart(tmp_path / "a.svg", means, CHANCE)
    draw_accuracy_chart(tmp_path / "b.svg", means, CHANCE)
    svg = (tmp_path / "a.svg").read_bytes()
    assert svg == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in svg
    xml.etree.ElementTree.fromstring(svg)


def test_other_numbers_give_another_chart(tmp_path, means):
    draw_accuracy_chart(tmp_path / "a.svg", means, CHANCE)
    draw_accuracy_chart(tmp_path / "b.svg", means.assign(accuracy=means["accuracy"] + 0.001), CHANCE)
    draw_accuracy_chart(tmp_path / "c.svg", means, CHANCE | {"in": 0.2})
    assert len({(tmp_path / name).read_bytes() for name in ("a.svg", "b.svg", "c.svg")}) == 3


def test_bars_are_the_conv_probe_s_and_best_layers_are_named(means):
    panel = accuracy_figure(means, CHANCE).axes[0]
    assert sorted(round(bar.get_width(), 6) for bar in panel.patches) == [2, 4, 50]
    assert {text.get_text() for text in panel.texts} >= {"50.0", "2.0", "4.0  mid"}
    assert [label.get_text() for label in panel.get_yticklabels()] == ["rgb", "colorization"]


def test_pixels_alone_can_be_drawn(means):
    panel = accuracy_figure(means[means["representation"] == "rgb"], CHANCE).axes[0]
    assert [round(bar.get_width(), 6) for bar in panel.patches] == [50]
