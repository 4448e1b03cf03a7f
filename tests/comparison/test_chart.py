import xml.etree.ElementTree

import pandas as pd
import pytest

from stages.comparison.chart import draw_accuracy_chart

CHANCE = {"in": 0.1, "out": 0.25}


@pytest.fixture
def means():
    rows = [
        (domain, head, name, accuracy, accuracy - 0.02, accuracy + 0.03)
        for domain in ("in", "out")
        for head in ("conv", "linear")
        for name, accuracy in (("rgb", 0.5), ("lightness_small", 0.3), ("colorization", 0.02))
    ]
    return pd.DataFrame(rows, columns=["domain", "head", "representation", "accuracy", "accuracy_low", "accuracy_high"])


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
