"""A bar chart of accuracies: one group a representation, one bar a layer, with intervals."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from stages.reporting.numbers import percent
from stages.reporting.svg import WIDTH, chart, element, line, nice_ticks, scale, text

LEFT, RIGHT, TOP = 4, 84, 24  # RIGHT leaves room for a bar's number and layer
NAME, BAR, GAP = 17, 13, 7


@dataclass(frozen=True)
class Bar:
    """Accuracies are shares of 0..1; the interval may be NaN."""

    layer: str
    value: float
    low: float
    high: float


def bar_chart(slug: str, title: str, groups: dict[str, list[Bar]], chance: float | None) -> Markup:
    """Draw the groups from the top down; a dashed line says what guessing gets.

    Args:
        groups: representation -> its bars; not empty.
    """
    highs = [max(bar.value, bar.high if math.isfinite(bar.high) else 0) for bars in groups.values() for bar in bars]
    right = 100 * max(*highs, chance or 0, 0.01)
    to_x = scale(0, right, LEFT, WIDTH - RIGHT)
    parts, y = [], TOP
    for name, bars in groups.items():
        drawn, top = [text(LEFT, y + 12, name, class_="name")], y + NAME
        for bar in bars:
            drawn.append(_bar(bar, name, top, to_x))
            top += BAR + 2
        parts.append(element("g", *drawn, class_=f"of-{name}"))
        y = top + GAP
    grid = [line(to_x(tick), TOP, to_x(tick), y, class_="grid") for tick in nice_ticks(0, right, 5)]
    ticks = [text(to_x(tick), y + 14, f"{tick:g}", class_="tick middle") for tick in nice_ticks(0, right, 5)]
    axis = text((LEFT + WIDTH - RIGHT) / 2, y + 30, "test accuracy (%)", class_="tick middle")
    guess = []
    if chance is not None:
        x = to_x(100 * chance)
        words = f"guessing {percent(chance)}"
        guess = [line(x, TOP - 4, x, y, class_="chance"), text(max(x - 10, LEFT), TOP - 9, words, class_="tick")]
    spoken = [f"{name}{_layer(bar)} {percent(bar.value)} %" for name, bars in groups.items() for bar in bars]
    return chart(slug, title, f"Test accuracy: {', '.join(spoken)}.", y + 36, *grid, *guess, *parts, *ticks, axis)


def _bar(bar: Bar, name: str, top: float, to_x) -> Markup:
    end, middle = to_x(100 * bar.value), top + BAR / 2
    whole = element("rect", x=LEFT, y=top, width=max(end - LEFT, 0.5), height=BAR, class_="bar")
    whisker, number_at = [], end
    if math.isfinite(bar.low) and math.isfinite(bar.high):
        low, number_at = to_x(100 * bar.low), to_x(100 * bar.high)
        whisker = [line(low, middle, number_at, middle, class_="whisker")]
        whisker += [line(x, middle - 3, x, middle + 3, class_="whisker") for x in (low, number_at)]
    hint = element("title", f"{name}{_layer(bar)}: {percent(bar.value)} % ({percent(bar.low)} to {percent(bar.high)})")
    number = text(max(end, number_at) + 5, middle + 4, f"{percent(bar.value)}{_layer(bar)}", class_="value")
    return element("g", hint, whole, *whisker, number)


def _layer(bar: Bar) -> str:
    return "" if bar.layer == "pixels" else f" {bar.layer}"
