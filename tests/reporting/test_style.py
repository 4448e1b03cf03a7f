"""Readable on white and on near-black."""

import re
from pathlib import Path

import pytest

import stages.reporting.page
from stages.reporting.names import DESCRIPTIONS

STYLE = Path(stages.reporting.page.__file__).with_name("report.css").read_text()
COLORS = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)]


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


def test_both_themes_name_the_same_colours_and_every_representation_has_a_look_of_its_own():
    assert COLORS[0].keys() == COLORS[1].keys()
    looks = dict(re.findall(r"\.of-(\w+) \{ (.*?) \}", STYLE))
    shown = [looks[name] for name in DESCRIPTIONS]
    assert len(set(shown)) == len(shown)
