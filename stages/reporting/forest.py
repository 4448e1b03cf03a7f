"""A forest plot: lifts with their intervals about zero, grouped by the representation that is lifted."""

from dataclasses import dataclass

from markupsafe import Markup

from stages.reporting.numbers import points, points_range
from stages.reporting.svg import TEXT_WIDTH, WIDTH, chart, element, line, marker, nice_ticks, scale, text

RIGHT, TOP = 12, 26
NAME, ROW, MARK = 20, 9, 11


@dataclass(frozen=True)
class Lift:
    """A difference of accuracies in shares of 1.

    Attributes:
        view: `headline` (a hollow square) or `best` (a disc).
        verdict: `win`, `behind` or `undecided`: its colour.
    """

    view: str
    value: float
    low: float
    high: float
    verdict: str


def forest_plot(slug: str, title: str, groups: dict[str, dict[str, list[Lift]]]) -> Markup:
    """Draw the groups from the top down.

    Args:
        groups: representation -> what it is compared with -> one lift a view; not empty.
    """
    left = 12 + TEXT_WIDTH * max(len(f"over {over}") for opponents in groups.values() for over in opponents)
    lifts = [lift for opponents in groups.values() for own in opponents.values() for lift in own]
    low, high = 100 * min(0, *(lift.low for lift in lifts)), 100 * max(0, *(lift.high for lift in lifts))
    to_x = scale(low - 1, high + 1, left, WIDTH - RIGHT)
    parts, y = [], TOP
    for name, opponents in groups.items():
        parts.append(element("g", text(4, y + 13, name, class_="name"), class_=f"of-{name}"))
        y += NAME
        for over, own in opponents.items():
            height = ROW + MARK * len(own)
            parts.append(text(left - 8, y + height / 2 + 4, f"over {over}", class_="end"))
            for place, lift in enumerate(own):
                parts.append(_lift(lift, f"{name} over {over}", y + (ROW + MARK) / 2 + MARK * place, to_x))
            y += height
        y += 6
    ticks = nice_ticks(low - 1, high + 1, 6)
    grid = [line(to_x(tick), TOP, to_x(tick), y, class_="grid") for tick in ticks]
    zero = line(to_x(0), TOP, to_x(0), y, class_="zero")
    labels = [
        text(to_x(tick), place, f"{tick:+g}" if tick else "0", class_="tick middle")
        for tick in ticks
        for place in (TOP - 8, y + 14)
    ]
    axis = text((left + WIDTH - RIGHT) / 2, y + 30, "lift (points)", class_="tick middle")
    spoken = [
        f"{name} over {over} {' and '.join(f'{points(lift.value)} ({lift.view})' for lift in own)}"
        for name, opponents in groups.items()
        for over, own in opponents.items()
    ]
    return chart(slug, title, f"Lifts in points: {', '.join(spoken)}.", y + 36, *grid, zero, *parts, *labels, axis)


def _lift(lift: Lift, name: str, y: float, to_x) -> Markup:
    hint = f"{name}, {lift.view}: {points(lift.value)} points ({points_range(lift.low, lift.high)})"
    return element(
        "g",
        element("title", hint),
        line(to_x(100 * lift.low), y, to_x(100 * lift.high), y, class_="interval"),
        marker("circle" if lift.view == "best" else "square", to_x(100 * lift.value), y),
        class_=f"lift {lift.verdict} {lift.view}",
    )
