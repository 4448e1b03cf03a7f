import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from stages.reporting.bars import Bar, bar_chart
from stages.reporting.forest import Lift, forest_plot
from stages.reporting.lines import Axes, Line, Point, legend_key, line_chart
from stages.reporting.names import DESCRIPTIONS
from stages.reporting.svg import WIDTH


def of_class(drawn: str, name: str) -> list[ElementTree.Element]:
    return [part for part in ElementTree.fromstring(drawn).iter() if name in part.get("class", "").split()]


def words(drawn: str) -> list[str]:
    return [part.text for part in ElementTree.fromstring(drawn).iter("text")]


def test_bars_are_as_long_as_their_numbers():
    groups = {"rgb": [Bar("pixels", 0.6, 0.5, 0.7)], "colorization": [Bar("latent", 0.3, math.nan, math.nan)]}
    drawn = bar_chart("a", "Accuracy", groups, 0.125)
    lengths = [float(bar.get("width")) for bar in of_class(drawn, "bar")]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=0.2)
    assert len(of_class(drawn, "whisker")) == 3  # one interval: a line and two ends
    assert {"60.0", "30.0 latent", "guessing 12.5"} <= set(words(drawn))


def test_the_text_alternative_of_a_chart_has_its_numbers():
    drawn = bar_chart("a", "Accuracy", {"random": [Bar("latent", 0.31, 0.2, 0.4), Bar("mid", 0.4, 0.3, 0.5)]}, None)
    parsed = ElementTree.fromstring(drawn)
    assert parsed.get("role") == "img"
    ids = [child.get("id") for child in parsed if child.tag in ("title", "desc")]
    assert parsed.get("aria-labelledby").split() == ids
    assert parsed.find("desc").text == "Test accuracy: random latent 31.0 %, random mid 40.0 %."


def test_a_forest_plot_puts_lifts_on_their_sides_of_zero():
    opponents = {"rgb": [Lift("best", -0.1, -0.2, -0.01, "behind")], "random": [Lift("best", 0.2, 0.1, 0.3, "win")]}
    drawn = forest_plot("a", "Lifts", {"colorization": opponents})
    (zero,) = of_class(drawn, "zero")
    ((behind,), (win,)) = (of_class(drawn, name) for name in ("behind", "win"))
    at = [float(group.find("circle").get("cx")) for group in (behind, win)]
    assert at[0] < float(zero.get("x1")) < at[1]
    assert "over random" in words(drawn)


def test_a_line_chart_keeps_the_order_of_values_and_marks_the_chosen_one():
    points = [Point(0, 10, 8, 12), Point(1, 30, 28, 32, ring=True), Point(2, 20, 18, 22)]
    lines = [Line("random", points), Line("rgb", [Point(0, 25)], level=True)]
    axes = Axes({0: "down_0", 1: "mid", 2: "latent"}, "layer", "accuracy", (5, "guessing"))
    drawn = line_chart("a", "Depth", "By layer.", lines, axes)
    path = of_class(drawn, "series")[0].get("points").split()
    heights = [float(pair.split(",")[1]) for pair in path]
    assert heights[1] < heights[2] < heights[0]
    (ring,) = of_class(drawn, "ring")
    assert float(ring.get("cy")) == heights[1]
    assert len(of_class(drawn, "interval")) == 3


@pytest.mark.parametrize("names", [["1", "5", "10", "25", "26"], [f"down_{number}" for number in range(9)]])
def test_labels_of_x_neither_overlap_nor_leave_the_picture(names):
    axes = Axes({math.log10(number + 1): name for number, name in enumerate(names)}, "x", "y")
    points = [Point(place, 1.0) for place in axes.x_ticks]
    drawn = line_chart("a", "t", "d", [Line("random", points)], axes)
    labels = [part for part in ElementTree.fromstring(drawn).iter("text") if part.text in names]
    if labels[0].get("transform"):
        assert len(labels) == len(names)
    else:
        spans = [(float(part.get("x")), 3.0 * len(part.text)) for part in labels]
        assert all(x + half <= WIDTH for x, half in spans)
        assert all(a + p <= b - q for (a, p), (b, q) in pairwise(spans))


def test_equal_values_and_a_single_point_can_be_drawn():
    axes = Axes({0.0: "0"}, "epoch", "loss")
    ElementTree.fromstring(line_chart("a", "t", "d", [Line("train", [Point(0, 0.0)])], axes))


def test_every_representation_has_a_key_of_its_own():
    keys = {name: ElementTree.fromstring(legend_key(name)) for name in DESCRIPTIONS}
    assert [key.get("class") for key in keys.values()] == [f"of-{name}" for name in keys]
