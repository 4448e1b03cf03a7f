"""SVG by hand: elements, scales and ticks. Colours and strokes are the style sheet's, by class."""

import math
from collections.abc import Callable

from markupsafe import Markup, escape

WIDTH = 360  # units of a chart's viewBox: a phone shows one unit as about 0.9 px, and text is 12 units high
TEXT_WIDTH = 6.6  # units that a character takes, at most on average


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """An element with escaped text and attributes; `class_` is class, `font_size` is font-size."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{_written(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{written}>{''.join(map(escape, children))}</{name}>")


def text(x: float, y: float, words: str, **attributes: str | float) -> Markup:
    """Text that starts at x, or ends there with `class_="end"`, or has its middle there with `class_="middle"`."""
    return element("text", words, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def chart(slug: str, title: str, description: str, height: float, *parts: str) -> Markup:
    """A whole picture with its text alternative; `slug` makes its ids unique in the page."""
    return element(
        "svg",
        element("title", title, id=f"{slug}-title"),
        element("desc", description, id=f"{slug}-desc"),
        *parts,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        class_="chart",
        aria_labelledby=f"{slug}-title {slug}-desc",
    )


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The linear map of low..high to start..end."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within low..high, at most `most` of them."""
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span / most))
    for step in (power * factor for factor in (1, 2, 5, 10, 20, 50)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(number * step, digits) + 0.0 for number in range(first, last + 1)]


def marker(shape: str, x: float, y: float, size: float = 4.0) -> Markup:
    """A circle, square, triangle or diamond about (x, y)."""
    corners = {
        "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        "triangle": [(0, -1.1), (1.05, 0.8), (-1.05, 0.8)],
        "diamond": [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)],
    }
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=size, class_="mark")
    drawn = " ".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in corners[shape])
    return element("polygon", points=drawn, class_="mark")


def _written(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, int | float) else str(escape(value))
