from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.reporting.svg import chart, element, marker, nice_ticks, scale, text


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 68, [0, 20, 40, 60]),
        (-21, 49, [-20, 0, 20, 40]),
        (0.061, 0.85, [0.2, 0.4, 0.6, 0.8]),
    ],
)
def test_ticks_by_hand(low, high, expected):
    assert nice_ticks(low, high) == expected


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_are_few_even_and_within(low, span):
    ticks = nice_ticks(low, low + span)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-6 * span - 1e-9 <= tick <= low + span * (1 + 1e-6) + 1e-9 for tick in ticks)


def test_a_scale_is_linear():
    to_x = scale(0, 50, 10, 110)
    assert (to_x(0), to_x(25), to_x(50)) == (10, 60, 110)


def test_text_and_attributes_are_escaped():
    drawn = chart("a", "<b>", 'x" onload="y', 10, text(1, 2, "a < b & c", class_="end"), element("g", **{"id": '"'}))
    parsed = ElementTree.fromstring(drawn)
    assert [child.text for child in parsed] == ["<b>", 'x" onload="y', "a < b & c", None]


@pytest.mark.parametrize("shape", ["circle", "square", "triangle", "diamond"])
def test_markers_are_about_their_place(shape):
    drawn = ElementTree.fromstring(marker(shape, 50, 20, 4))
    if shape == "circle":
        assert (drawn.get("cx"), drawn.get("cy")) == ("50", "20")
    else:
        corners = [tuple(map(float, pair.split(","))) for pair in drawn.get("points").split()]
        assert min(x for x, _ in corners) < 50 < max(x for x, _ in corners)
        assert min(y for _, y in corners) < 20 < max(y for _, y in corners)
