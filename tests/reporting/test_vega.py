"""What each template draws, in the report's dress."""

import math
import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from stages.comparison.tables import ACCURACY, CURVES, DEPTH, LABEL_EFFICIENCY, LIFTS, Table
from stages.reporting.numbers import percent
from stages.reporting.theme import COLORS, look
from stages.reporting.vega import TEMPLATES, as_file, fill_template, render
from stages.study.representations import REPRESENTATIONS
from tests.project import ROOT
from tests.reporting.svg import hinted, shapes, size, texts, words

NAN = math.nan


def drawn(template: str, rows: pd.DataFrame, series: str = "representation", **options) -> str:
    return render(fill_template(template, rows, series), "A title", "A description.", **options)


def table(schema: Table, rows: list[dict], **columns) -> pd.DataFrame:
    """Rows with the columns that matter to the test; the others are filled in."""
    filled = {name: "in" if kind is str else 0 for name, kind in schema.columns.items()}
    return pd.DataFrame([filled | row for row in rows]).assign(**columns)


def bars(*rows: tuple, chance: float | None = None) -> pd.DataFrame:
    names = ("representation", "layer", "view", "accuracy", "low", "high")
    return table(ACCURACY, [dict(zip(names, row, strict=True), head="conv") for row in rows], chance=chance)


def lifts(*rows: tuple) -> pd.DataFrame:
    names = ("representation", "over", "view", "lift", "lift_low", "lift_high", "p_adjusted", "win")
    keys = [dict(zip(names, row, strict=True)) for row in rows]
    return table(LIFTS, [row | {"head": "conv", "layer": row["view"], "over_layer": row["view"]} for row in keys])


def layers(**representations: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"representation": name, "layer": layer, "order": order, "accuracy": accuracy, "accuracy_low": accuracy - 0.02,
         "accuracy_high": accuracy + 0.02, "chosen": int(accuracy == max(by_layer.values()))}
        for name, by_layer in representations.items() for order, (layer, accuracy) in enumerate(by_layer.items())
    ]  # fmt: skip
    return table(DEPTH, rows, chance=0.05)


def few_labels(**representations: dict[float, float]) -> pd.DataFrame:
    rows = [
        {"representation": name, "layer": "mid", "view": "best", "labels": labels, "accuracy": accuracy,
         "accuracy_low": accuracy - 0.02, "accuracy_high": accuracy + 0.02}
        for name, by_labels in representations.items() for labels, accuracy in by_labels.items()
    ]  # fmt: skip
    return table(LABEL_EFFICIENCY, rows, chance=None, only="best")


def losses(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"step": range(1, len(values) + 1), "loss": values, "subset": "train"})


def length(bar) -> float:
    return float(re.search(r"h([\d.]+)v", bar.attributes["d"])[1])


def test_bars_are_as_long_as_their_numbers():
    rows = [("rgb", "pixels", "primary", 0.6, 0.5, 0.7), ("colorization", "latent", "primary", 0.3, NAN, NAN)]
    svg = drawn("accuracy", bars(*rows, chance=0.125))
    (rgb,), (colorization,) = hinted(svg)["rgb: 60.0 % (50.0 to 70.0)"], hinted(svg)["colorization latent: 30.0 %"]
    assert length(rgb) == pytest.approx(2 * length(colorization), abs=0.1)
    assert {"60.0", "30.0 latent", "chance 12.5", "rgb", "colorization"} <= set(words(svg))


def test_a_bar_s_interval_is_a_line_with_two_ends_and_what_has_none_gets_none():
    with_interval = drawn("accuracy", bars(("random", "latent", "primary", 0.6, 0.5, 0.7)))
    without = drawn("accuracy", bars(("random", "latent", "primary", 0.6, NAN, NAN)))
    for svg, parts in ((with_interval, 3), (without, 0)):
        inked = [shape for shape in shapes(svg) if COLORS["ink"][0] in shape.attributes.values()]
        assert len([shape for shape in inked if shape.tag != "text"]) == parts
    assert "NaN" not in without and "chance" not in without


def test_a_bar_chart_says_what_the_tables_say():
    """Halves are rounded alike: 12.25 % is 12.3 in both."""
    shares = [number / 400 for number in range(401)]
    rows = [(f"n{number}", "pixels", "primary", share, NAN, NAN) for number, share in enumerate(shares)]
    svg = drawn("accuracy", bars(*rows))
    labels = [text for text in words(svg) if re.fullmatch(r"\d+\.\d", text)]
    assert labels == [percent(share) for share in shares]


def test_the_best_layer_is_below_the_primary_and_named():
    rows = [("random", "latent", "primary", 0.31, 0.2, 0.4), ("random", "mid", "best", 0.4, 0.3, 0.5)]
    svg = drawn("accuracy", bars(*rows))
    at = {text.words: text.y for text in texts(svg)}
    assert at["random"] < at["31.0 latent"] < at["40.0 mid"]


def test_a_layer_of_several_views_is_one_bar():
    svg = drawn("accuracy", bars(*[("random", "latent", view, 0.31, 0.2, 0.4) for view in ("latent", "best")]))
    assert [len(marks) for marks in hinted(svg).values()] == [1]


def test_the_text_alternative_is_the_picture_s():
    svg = drawn("accuracy", bars(("random", "latent", "primary", 0.31, 0.2, 0.4)), slug="a")
    parsed = ElementTree.fromstring(svg)
    assert parsed.get("role") == "img"
    spoken = {child.get("id"): child.text for child in parsed if child.tag in ("title", "desc")}
    assert parsed.get("aria-labelledby").split() == list(spoken)
    assert list(spoken.values()) == ["A title", "A description."]
    assert not [name for element in parsed.iter() if element is not parsed for name in element.attrib if "aria" in name]


def test_a_forest_plot_puts_lifts_on_their_sides_of_zero_in_the_colour_of_their_verdict():
    svg = drawn(
        "lifts",
        lifts(
            ("colorization", "rgb", "best", -0.1, -0.2, -0.01, 0.01, 0),
            ("colorization", "random", "best", 0.2, 0.1, 0.3, 0.001, 1),
            ("colorization", "lightness", "best", -0.1, -0.2, -0.01, 0.2, 0),
        ),
    )
    (zero,) = [text for text in texts(svg) if text.words == "0"]
    (behind,) = hinted(svg)["colorization over rgb, best: −10.0 points (−20.0 to −1.0)"]
    (win,) = hinted(svg)["colorization over random, best: +20.0 points (+10.0 to +30.0)"]
    (undecided,) = hinted(svg)["colorization over lightness, best: −10.0 points (−20.0 to −1.0)"]
    assert behind.x < zero.x < win.x
    colors = [shape.attributes["fill"] for shape in (win, behind, undecided)]
    assert colors == [COLORS[name][0] for name in ("blue", "vermillion", "muted")]
    assert {"over random", "colorization", "win", "behind", "no difference shown"} <= set(words(svg))


def test_a_forest_plot_shows_a_pair_of_layers_once_and_one_head():
    rows = lifts(
        ("colorization", "rgb", "primary", 0.1, 0.0, 0.2, 0.5, 0),
        ("colorization", "rgb", "best", 0.1, 0.0, 0.2, 0.5, 0),
        ("colorization", "random", "primary", 0.2, 0.1, 0.3, 0.5, 0),
        ("colorization", "random", "best", 0.3, 0.2, 0.4, 0.5, 0),
    )
    rows.loc[:1, ["layer", "over_layer"]] = "latent"
    other = rows.assign(head="ridge", lift=0.7)
    marks = hinted(drawn("lifts", pd.concat([rows, other])))
    shown = sorted(re.search(r"over (\w+), (\w+)", hint).groups() for hint in marks)
    assert shown == [("random", "best"), ("random", "primary"), ("rgb", "primary")]


def test_a_forest_plot_keeps_the_order_of_the_table_whatever_is_left_out():
    """`compare` writes all primary rows before all best ones."""
    keys = [("b", "z"), ("b", "y"), ("b", "x"), ("a", "z"), ("a", "y")]
    rows = lifts(*[(*key, view, 0.1, 0.0, 0.2, 0.5, 0) for view in ("primary", "best") for key in keys])
    alike = (rows["representation"] == "b") & (rows["over"] != "x")
    rows.loc[alike, ["layer", "over_layer"]] = "latent"
    labels = [text for text in texts(drawn("lifts", rows)) if re.fullmatch("over [xyz]|[ab]", text.words)]
    order = [text.words for text in sorted(labels, key=lambda text: text.y)]
    assert order == ["b", "over z", "over y", "over x", "a", "over z", "over y"]


def test_a_line_chart_keeps_the_order_of_values_and_rings_the_chosen_layer():
    svg = drawn("depth", layers(random={"down_0": 0.1, "mid": 0.3, "latent": 0.2}, rgb={"pixels": 0.25}))
    (line,) = [shape for shape in shapes(svg) if shape.attributes.get("d", "").count("L") == 2 and not shape.words]
    heights = [y for _, y in line.corners]
    assert heights[1] < heights[2] < heights[0]
    (ring,) = [shape for shape in shapes(svg) if shape.attributes.get("stroke-width") == "1.5"]
    assert ring.y == pytest.approx(heights[1], abs=0.1)
    level = hinted(svg)["rgb: 25.0 %"]
    assert [mark.tag for mark in level] == ["line", "path"]
    assert heights[1] < level[0].y < heights[2]
    assert {"chance", "down_0", "mid", "latent", "rgb", "random"} <= set(words(svg))


def test_every_point_of_a_line_has_its_interval():
    svg = drawn("depth", layers(random={"down_0": 0.1, "mid": 0.3, "latent": 0.2}))
    intervals = [shape for shape in shapes(svg) if shape.attributes.get("opacity") == "0.35"]
    assert len(intervals) == 3


def test_labels_are_on_a_logarithmic_axis():
    svg = drawn("label_efficiency", few_labels(random={1.0: 0.1, 10.0: 0.2, 100.0: 0.3}))
    places = [hinted(svg)[f"random: {percent}.0 %"][0].x for percent in (10, 20, 30)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.1)


def test_intervals_of_the_same_number_of_labels_stand_side_by_side():
    svg = drawn("label_efficiency", few_labels(**{row.name: {1.0: 0.1, 10.0: 0.2} for row in REPRESENTATIONS}))
    places = [shape.x for shape in shapes(svg) if shape.attributes.get("opacity") == "0.35"]
    assert len(set(places)) == len(places) == 2 * len(REPRESENTATIONS)


@pytest.mark.parametrize(
    ("template", "rows", "labels"),
    [
        ("label_efficiency", few_labels(random=dict.fromkeys((1.0, 5.0, 10.0, 25.0, 26.0), 0.1)), r"\d+"),
        ("label_efficiency", few_labels(random=dict.fromkeys((1.0, 5.0, 750.0), 0.1)), r"\d+"),
        ("depth", layers(random={f"down_{number}": 0.1 + 0.01 * number for number in range(9)}), r"down_\d"),
    ],
    ids=["few", "many", "layers"],
)
def test_labels_of_x_neither_overlap_nor_leave_the_picture(template, rows, labels):
    svg = drawn(template, rows)
    ticks = [text for text in texts(svg) if re.fullmatch(labels, text.words)]
    lowest = max(text.y for text in ticks)
    ticks = [text for text in ticks if text.y == lowest]
    if "rotate" in ticks[0].attributes["transform"]:
        assert len(ticks) == 9
        assert all(b.x - a.x > 12 for a, b in pairwise(ticks))
    else:
        spans = [(text.x, 3.4 * len(text.words)) for text in ticks]
        assert all(x - half >= 0 and x + half <= size(svg)[0] for x, half in spans)
        assert all(a + p <= b - q for (a, p), (b, q) in pairwise(spans))


def test_long_names_stay_in_the_picture():
    rows = lifts(("color_classification", "lightness_small", "best", 0.1, 0.0, 0.2, 0.5, 0))
    (label,) = [text for text in texts(drawn("lifts", rows)) if text.words == "over lightness_small"]
    assert label.attributes["text-anchor"] == "end"
    assert label.x >= 5.5 * len(label.words)


@pytest.mark.parametrize("count", [1, 2, 40, 41])
def test_few_values_have_markers_and_many_have_none(count):
    svg = drawn("training_loss", losses(*[0.5] * count), "subset")
    assert len(hinted(svg).get("train: 0.5000", [])) == (count if count <= 40 else 0)


def test_equal_values_and_a_single_point_can_be_drawn():
    for rows in (losses(0.0), losses(0.0, 0.0)):
        assert "NaN" not in drawn("training_loss", rows, "subset")


def test_epochs_are_whole_numbers():
    rows = table(CURVES, [{"representation": "rgb", "epoch": e, "validation_accuracy": 0.1 * e} for e in (1, 2, 3)])
    labels = words(drawn("probe_curves", rows.assign(chance=None)))
    assert {"1", "2", "3"} <= set(labels) and not {"1.5", "2.5"} & set(labels)


def test_a_name_that_the_code_does_not_know_is_drawn_in_the_default_look():
    svg = drawn("depth", layers(blurred={"mid": 0.3, "latent": 0.2}))
    assert "blurred" in words(svg)
    assert {shape.attributes["fill"] for shape in hinted(svg)["blurred: 30.0 %"]} == {COLORS[look("blurred").color][0]}


def test_every_representation_has_a_look_of_its_own():
    names = [row.name for row in REPRESENTATIONS]
    assert len({look(name) for name in names}) == len(names)
    assert len({(look(name).color, look(name).shape) for name in names}) == len(names)  # that much a legend shows
    svg = drawn("depth", layers(**{name: {"mid": 0.3, "latent": 0.2} for name in names}))
    assert set(names) <= set(words(svg))


def test_names_are_text_whatever_they_hold():
    svg = drawn("accuracy", bars(('<b>&"', "pixels", "primary", 0.3, 0.2, 0.4)))
    assert '<b>&"' in words(svg)


CODE = """
import pandas as pd
from tests.reporting.test_vega import bars, drawn
print(drawn("accuracy", bars(("rgb", "pixels", "primary", 0.6123456, 0.5, 0.7))), end="")
"""


def test_the_same_numbers_give_the_same_bytes_in_another_process_too():
    rows = bars(("rgb", "pixels", "primary", 0.6123456, 0.5, 0.7))
    first = drawn("accuracy", rows)
    assert drawn("accuracy", rows) == first
    ended = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == first


def test_a_file_has_its_namespace_and_a_ground():
    svg = drawn("accuracy", bars(("rgb", "pixels", "primary", 0.6, 0.5, 0.7)))
    parsed = ElementTree.fromstring(as_file(svg, "#ffffff"))
    assert parsed.tag == "{http://www.w3.org/2000/svg}svg"
    assert parsed[0].get("fill") == "#ffffff"
    assert [float(parsed.get(side)) for side in ("width", "height")] == list(size(svg))


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.json")), ids=lambda path: path.stem)
def test_colours_of_a_template_are_the_theme_s(path):
    """So that they turn with the page."""
    light = {pair[0] for pair in COLORS.values()}
    assert set(re.findall(r"#\w{6}\b", path.read_text())) <= light
