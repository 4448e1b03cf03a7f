"""Readable on white and on near-black."""

import re
from pathlib import Path

import pytest

import stages.reporting.page
from stages.reporting.theme import css_variables, with_variables

ROOM = Path(stages.reporting.page.__file__).parent
COLORS = [
    dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", b)) for b in re.findall(r":root \{(.*?)\}", css_variables(), re.S)
]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's ratio of relative luminances."""
    bright, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_contrast_by_hand():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colors", COLORS, ids=["light", "dark"])
def test_text_and_graphics_stand_out_from_their_ground(colors):
    for name in ("ink", "muted", "blue"):  # what words are written in
        assert contrast(colors[name], colors["ground"]) >= 4.5, name
        assert contrast(colors[name], colors["panel"]) >= 4.5, name
    for name in ("vermillion", "purple", "green", "orange", "sky", "grey"):
        assert contrast(colors[name], colors["ground"]) >= 3, name
    assert contrast(colors["vermillion"], colors["ground"]) >= 4  # large or bold words: `falls behind`


def test_both_grounds_name_the_same_colours_and_no_two_are_alike():
    assert COLORS[0].keys() == COLORS[1].keys()
    assert len(set(COLORS[0].values())) == len(COLORS[0])


def test_the_style_sheet_s_colours_are_the_theme_s():
    style = (ROOM / "report.css").read_text()
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", style)
    assert set(re.findall(r"var\(--(\w+)", style)) <= {*COLORS[0], "verdict"}


def test_a_chart_s_colours_become_variables():
    drawing = '<path fill="#00609a" stroke="none"></path><text fill="#1a1d21">#a</text>'
    assert with_variables(drawing) == '<path fill="var(--blue)" stroke="none"></path><text fill="var(--ink)">#a</text>'
