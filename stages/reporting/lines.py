"""A line chart: one line a representation or a subset, told apart by colour, dashes and markers."""

import math
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from stages.reporting.numbers import fixed
from stages.reporting.svg import TEXT_WIDTH, WIDTH, chart, element, line, marker, nice_ticks, scale, text

LEFT, RIGHT, TOP, HEIGHT = 40, 12, 26, 250

SHAPES = {
    "rgb": "circle", "rgb_small": "square", "lightness": "triangle", "lightness_small": "diamond",
    "random": "circle", "reconstruction": "square", "autoencoder": "triangle", "supervised": "diamond",
    "colorization": "circle", "color_classification": "square", "split_brain": "triangle",
    "train": "circle", "validation": "square",
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A place on the chart; the interval may be NaN, and `ring` marks the point that was chosen."""

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan
    ring: bool = False


@dataclass(frozen=True)
class Line:
    """Points in the order of x. A level is one value for all x: it is drawn across the chart."""

    name: str
    points: list[Point]
    level: bool = False


@dataclass(frozen=True)
class Axes:
    """What the axes say; places of x are the chart's own (say, logarithms), their labels are words.

    Attributes:
        dense: with this many points, markers and intervals would hide the lines.
    """

    x_ticks: dict[float, str]
    x_label: str
    y_label: str
    reference: tuple[float, str] | None = None
    dense: bool = False


def line_chart(slug: str, title: str, description: str, lines: list[Line], axes: Axes) -> Markup:
    """Draw the lines, later ones on top; not empty."""
    values = [value for own in lines for point in own.points for value in (point.y, point.low, point.high)]
    values = [value for value in values if math.isfinite(value)] + ([axes.reference[0]] if axes.reference else [])
    span = max(max(values) - min(values), 1e-3 * abs(max(values)), 1e-9)
    bottom, top = min(values) - 0.04 * span, max(values) + 0.04 * span
    bottom = max(bottom, 0) if min(values) >= 0 else bottom
    places = [point.x for own in lines if not own.level for point in own.points] or [0.0]
    margin = 0.04 * (max(places) - min(places)) or 0.5
    to_x = scale(min(places) - margin, max(places) + margin, LEFT, WIDTH - RIGHT)
    to_y = scale(bottom, top, TOP + HEIGHT, TOP)

    ticks = nice_ticks(bottom, top, 6)
    parts = [line(LEFT, to_y(tick), WIDTH - RIGHT, to_y(tick), class_="grid") for tick in ticks]
    parts += [text(LEFT - 6, to_y(tick) + 4, f"{tick:g}", class_="tick end") for tick in ticks]
    parts.append(text(4, 12, axes.y_label, class_="tick"))
    parts.append(line(LEFT, TOP + HEIGHT, WIDTH - RIGHT, TOP + HEIGHT, class_="zero"))
    labels, height = _x_labels(axes.x_ticks, to_x)
    parts += labels
    words = []
    if axes.reference:
        y = to_y(axes.reference[0])
        parts.append(line(LEFT, y, WIDTH - RIGHT, y, class_="chance"))
        words.append(text(WIDTH - RIGHT, y - 5, axes.reference[1], class_="tick end"))
    drawn = [_line(own, place - (len(lines) - 1) / 2, to_x, to_y, axes.dense) for place, own in enumerate(lines)]
    bottom_text = TOP + HEIGHT + height + 14
    parts += [*drawn, *words, text((LEFT + WIDTH - RIGHT) / 2, bottom_text, axes.x_label, class_="tick middle")]
    return chart(slug, title, description, bottom_text + 6, *parts)


def legend_key(name: str) -> Markup:
    """A short piece of a line with its marker, for a legend."""
    stroke = line(1, 7, 29, 7, class_="series")
    picture = element("svg", stroke, marker(SHAPES[name], 15, 7), viewBox="0 0 30 14", class_="key", aria_hidden="true")
    return element("span", picture, f" {name}", class_=f"of-{name}")


def _line(own: Line, offset: float, to_x, to_y, dense: bool) -> Markup:
    if own.level:
        y = to_y(own.points[0].y)
        hint = element("title", f"{own.name}: {fixed(own.points[0].y, 1)}")
        return element("g", hint, line(LEFT, y, WIDTH - RIGHT, y, class_="series"), class_=f"of-{own.name}")
    # A little to the side, so that intervals at the same x do not cover one another.
    places = [(to_x(point.x) + (0 if dense else 1.4 * offset), to_y(point.y), point) for point in own.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    parts = [element("polyline", points=path, class_="series")]
    for x, y, point in places:
        if dense and len(places) > 1:
            continue
        if math.isfinite(point.low) and math.isfinite(point.high):
            parts.append(line(x, to_y(point.low), x, to_y(point.high), class_="interval faint"))
        if point.ring:
            parts.append(element("circle", cx=x, cy=y, r=7, class_="ring"))
        hint = element("title", f"{own.name}: {fixed(point.y, 1)}")
        parts.append(element("g", hint, marker(SHAPES[own.name], x, y, 3.5)))
    return element("g", *parts, class_=f"of-{own.name}")


def _x_labels(ticks: dict[float, str], to_x) -> tuple[list[Markup], float]:
    """Tick labels below the plot and their height: level where they fit, slanted where most would not."""
    places = sorted((to_x(place), words) for place, words in ticks.items())
    gaps = [after[0] - before[0] for before, after in pairwise(places)]
    longest = max((TEXT_WIDTH * len(words) for _, words in places), default=0)
    y = TOP + HEIGHT + 16
    if gaps and min(gaps) < longest + 4 and not _is_number(places[0][1]):
        slanted = [text(x, y, words, class_="tick end", transform=f"rotate(-40 {x:.1f} {y})") for x, words in places]
        return slanted, 22 + 0.65 * longest
    shown, free = [], math.inf
    # From the right: where numbers do not fit, the largest is the one to keep.
    for x, words in reversed(places):
        half = TEXT_WIDTH * len(words) / 2
        if x + half <= free:
            shown.append(text(min(x, WIDTH - half), y, words, class_="tick middle"))
            free = x - half - 3
    return shown[::-1], 18


def _is_number(words: str) -> bool:
    return words.replace(".", "").isdigit()
