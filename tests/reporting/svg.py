"""An SVG taken apart to be looked at."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True)
class Shape:
    """A mark or a text: its tag, where it stands in the picture, its attributes, its words (of a mark: its hint)."""

    tag: str
    x: float
    y: float
    attributes: dict[str, str]
    words: str

    @property
    def corners(self) -> list[tuple[float, float]]:
        """The ends of a line's pieces, absolute."""
        pairs = re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", self.attributes["d"])
        return [(self.x + float(x), self.y + float(y)) for x, y in pairs]


def shapes(svg: str) -> list[Shape]:
    """Everything that is drawn, in the order of drawing."""
    return list(_shapes(ElementTree.fromstring(svg), 0.0, 0.0))


def texts(svg: str) -> list[Shape]:
    return [shape for shape in shapes(svg) if shape.tag == "text"]


def words(svg: str) -> list[str]:
    return [shape.words for shape in texts(svg)]


def hinted(svg: str) -> dict[str, list[Shape]]:
    """The marks that have a hint, by its words."""
    marks = {}
    for shape in shapes(svg):
        if shape.tag != "text" and shape.words:
            marks.setdefault(shape.words, []).append(shape)
    return marks


def size(svg: str) -> tuple[float, float]:
    return tuple(map(float, ElementTree.fromstring(svg).get("viewBox").split()[2:]))


def _shapes(element: ElementTree.Element, x: float, y: float):
    for dx, dy in re.findall(r"translate\((-?[\d.]+),(-?[\d.]+)\)", element.get("transform", "")):
        x, y = x + float(dx), y + float(dy)
    tag = element.tag.split("}")[-1]
    if tag in ("path", "line", "rect", "text"):
        hint = next((child.text for child in element if child.tag.endswith("title")), "")
        yield Shape(tag, x, y, element.attrib, element.text or hint or "")
    for child in element:
        yield from _shapes(child, x, y)
