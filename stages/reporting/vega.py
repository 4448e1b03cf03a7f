"""Charts as SVG: the Vega-Lite templates of charts/, which `dvc plots` draws too, filled with rows and rendered.

DVC fills the anchors `<DVC_METRIC_...>` of a template with rows and a title, and adds to each row the revision that it
is of, `rev`. A report is of one revision: where a template distinguishes revisions, the report distinguishes series.
"""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import vl_convert

from stages.reporting.theme import CONFIG, FONT, scales

TEMPLATES = Path(__file__).parent / "charts"
# vl-convert's oldest, nearest to that of DVC's page: 5.2.
VEGA_LITE = "5.8"
SVG = "http://www.w3.org/2000/svg"
UNSEEN = ("class", "role", "pointer-events", "font-family")


def fill_template(name: str, rows: pd.DataFrame, series: str) -> dict:
    """A template of charts/ as a Vega-Lite specification that can be rendered.

    Args:
        name: of the template, without `.json`.
        rows: with the columns that the template draws; missing numbers are NaN.
        series: the column that colour, dashes and markers distinguish.
    """
    specification = json.loads((TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))
    del specification["title"]  # the page has it in a heading
    records = rows.assign(rev="").astype(object)
    specification["data"]["values"] = records.where(records.notna(), None).to_dict("records")
    return _with_scales(specification, scales(list(dict.fromkeys(rows[series]))), series)


def render(specification: dict, title: str, description: str, *, slug: str = "chart", headers: bool = False) -> str:
    """Draw a specification: an SVG element with a text alternative. The same numbers, the same bytes.

    Args:
        slug: makes ids unique in a page.
        headers: show what the columns and rows of a chart of many panels are.
    """
    config = CONFIG if headers else CONFIG | {"header": CONFIG["header"] | {"labels": False}}
    svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE, config=config, allowed_base_urls=[])
    drawing = ElementTree.fromstring(re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg))
    _tidy(drawing)
    drawing.attrib = {
        "viewBox": drawing.get("viewBox"),
        "class": "chart",
        "role": "img",
        "aria-labelledby": f"{slug}-title {slug}-description",
        "font-family": FONT,
    }
    for place, (tag, words) in enumerate({"title": title, "desc": description}.items()):
        element = ElementTree.Element(tag, id=f"{slug}-{'title' if tag == 'title' else 'description'}")
        element.text = words
        drawing.insert(place, element)
    return ElementTree.tostring(drawing, encoding="unicode")


def as_file(svg: str, background: str) -> str:
    """An SVG element as a standalone file: with its namespace, the size of its view box, and a background."""
    ground = f'<rect width="100%" height="100%" fill="{background}"/>'
    root = rf'<svg xmlns="{SVG}" width="\1" height="\2" viewBox="0 0 \1 \2"\3>{ground}'
    return re.sub(r'<svg viewBox="0 0 (\S+) (\S+)"([^>]*)>', root, svg, count=1) + "\n"


def _with_scales(node, by_channel: dict[str, dict], series: str):
    """The specification with each channel that encodes the revision or the series encoding the series, by its scale."""
    if isinstance(node, list):
        return [_with_scales(child, by_channel, series) for child in node]
    if not isinstance(node, dict):
        return node
    node = {key: child if key == "values" else _with_scales(child, by_channel, series) for key, child in node.items()}
    for channel, scale in by_channel.items():
        encoding = node.get(channel)
        if isinstance(encoding, dict) and encoding.get("field") in ("rev", series):
            node[channel] = encoding | {"field": series, "scale": scale}
            if channel in ("fill", "stroke"):
                node[channel]["legend"] = None  # bars have their names written above them
    return node


def _tidy(element: ElementTree.Element) -> None:
    """Remove what is not visible, and turn the description of a mark into a `title`, which browsers show as a tooltip.

    A screen reader takes the chart as one image with a title and a description.
    """
    for child in list(element):
        frame = child.get("class") in ("background", "foreground") and not {"fill", "stroke"} & child.attrib.keys()
        if frame or (child.tag == "rect" and "fill" not in child.attrib):
            element.remove(child)
        else:
            _tidy(child)
            if child.tag == "g" and not len(child):
                element.remove(child)
    attributes = element.attrib
    is_mark = element.tag != "g" and attributes.get("role") == "graphics-symbol"
    hint = attributes.get("aria-label") if is_mark else None
    element.attrib = {
        name: re.sub(r"-?\d+\.\d{3,}", _rounded, value)
        for name, value in attributes.items()
        if name not in UNSEEN and not name.startswith("aria-") and (name, value) != ("opacity", "1")
    }
    if hint:
        ElementTree.SubElement(element, "title").text = hint


def _rounded(number: re.Match) -> str:
    return f"{round(float(number[0]), 2) + 0.0:g}"
