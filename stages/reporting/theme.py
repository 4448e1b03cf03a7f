"""The report's looks: its colours on a light and on a dark ground, and what its charts take from them.

Charts are rendered in the light colours; in the page each becomes the CSS variable of its name, so that a chart turns
dark with the page. A colour of charts/*.json must therefore be one of these.
"""

import re
from typing import NamedTuple

from stages.study.representations import BY_NAME, PALETTE, Representation

# On a light ground, on a dark one.
COLORS = {
    "ground": ("#ffffff", "#14171a"),
    "panel": ("#f4f6f8", "#1e2328"),
    "muted": ("#555f6b", "#a7b0ba"),
    "rule": ("#d3d9df", "#3a424b"),
    **PALETTE,
}
INK, MUTED, RULE = COLORS["ink"][0], COLORS["muted"][0], COLORS["rule"][0]

# Part of vl-convert, so that text is measured alike whatever fonts a machine has; Arial and Helvetica are as wide.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

# Vega-Lite's config; https://vega.github.io/vega-lite/docs/config.html. A chart is some 350 px wide, a phone's width.
CONFIG = {
    "background": None,
    "padding": 2,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": MUTED,
        "titleColor": MUTED,
        "gridColor": RULE,
        "ticks": False,
        "domain": False,
        "labelPadding": 5,
    },
    "header": {"labelColor": INK, "labelFontSize": 12},
    "text": {"fontSize": 12, "color": INK},
    "rule": {"color": INK},
    "tick": {"color": INK, "thickness": 1},
    "style": {"reference": {"color": MUTED}, "note": {"color": MUTED}},
    "legend": {
        "orient": "bottom",
        "columns": 2,
        "title": None,
        "labelFontSize": 12,
        "labelColor": INK,
        "symbolSize": 80,
        "symbolStrokeWidth": 0,
        "symbolOpacity": 1,
    },
}


class Look(NamedTuple):
    """How a series is drawn: a colour of `COLORS`, its line's dashes (empty: solid), its marker as Vega names it."""

    color: str
    dash: tuple[int, ...]
    shape: str


SUBSETS = {"train": Look("grey", (6, 3), "circle"), "validation": Look("vermillion", (), "square")}


def look(name: str) -> Look:
    """The look of a representation, or of a subset that a loss is of; the table's defaults for any other name."""
    if name in SUBSETS:
        return SUBSETS[name]
    row = BY_NAME.get(name) or Representation(name, "control", "lightness", "")
    return Look(row.color, row.dash, row.shape)


def scales(names: list[str]) -> dict[str, dict]:
    """Vega-Lite's scale of each channel that distinguishes series, for the series with these names."""
    looks = [look(name) for name in names]
    colors = [COLORS[color][0] for color, _, _ in looks]
    ranges = {
        **dict.fromkeys(("color", "fill", "stroke"), colors),
        "strokeDash": [dash or (1, 0) for _, dash, _ in looks],
        "shape": [shape for _, _, shape in looks],
    }
    return {channel: {"domain": names, "range": values} for channel, values in ranges.items()}


def css_variables() -> str:
    """The colours as CSS variables, for a light and for a dark ground."""
    light, dark = (" ".join(f"--{name}: {pair[ground]};" for name, pair in COLORS.items()) for ground in range(2))
    return (
        f":root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def with_variables(svg: str) -> str:
    """The drawing with each colour of `COLORS` replaced by its CSS variable."""
    names = {light: name for name, (light, _) in COLORS.items()}
    return re.sub("|".join(names), lambda color: f"var(--{names[color[0]]})", svg)
