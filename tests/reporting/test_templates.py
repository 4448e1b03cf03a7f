"""`dvc plots` draws the tables of metrics/ by the report's templates."""

import json
import re

import pytest
import vl_convert
import yaml
from dvc_render import VegaRenderer

from stages.comparison.tables import ACCURACY, CURVES, DEPTH, LABEL_EFFICIENCY, LIFTS
from stages.reporting.vega import TEMPLATES
from stages.study.verdicts import BEHIND, WIN, verdict
from tests.project import ROOT

TABLES = {
    "metrics/accuracy.csv": ACCURACY,
    "metrics/lifts.csv": LIFTS,
    "metrics/label_efficiency.csv": LABEL_EFFICIENCY,
    "metrics/depth.csv": DEPTH,
    "data/comparison/curves.csv": CURVES,
}


def plots() -> list[tuple[str, str, str, str]]:
    """Template, table, x and y of each plot of dvc.yaml that has a template of ours."""
    definitions = []
    for entry in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]:
        for definition in entry.values() if isinstance(entry, dict) else ():
            template = definition.get("template", "")
            if "/" in template:
                ((table, y),) = definition["y"].items()
                definitions.append((template, table, definition["x"], y))
    return definitions


def filled(template: str, rows: list[dict], x: str, y: str) -> dict:
    """As DVC does it."""
    renderer = VegaRenderer(rows, template, template=str(ROOT / template), x=x, y=y, title="t")
    return json.loads(renderer.partial_html())


def test_every_template_but_that_of_losses_is_a_plot_of_dvc_s_too():
    shown = {template for template, *_ in plots()}
    ours = {path.relative_to(ROOT).as_posix() for path in TEMPLATES.glob("*.json")}
    assert ours - shown == {"stages/reporting/charts/training_loss.json"}  # DVCLive's series have plots of their own
    assert shown <= ours


@pytest.mark.parametrize(("template", "table", "x", "y"), plots(), ids=lambda value: value.split("/")[-1])
def test_dvc_fills_a_template_and_it_draws_columns_that_the_table_has(template, table, x, y):
    row = dict.fromkeys(TABLES[table].names, "1") | {"rev": "workspace"}
    specification = filled(template, [row], x, y)
    text = re.sub(r'"labelExpr": "[^"]*"', "", json.dumps(specification))  # its datum is a tick, not a row
    assert "<DVC_METRIC" not in text
    made = set(re.findall(r'"as": \[?"(\w+)"', text))
    fields = set(re.findall(r'"field": "(\w+)"', text)) | set(re.findall(r"datum\.(\w+)", text))
    assert fields - made <= set(row) and {x, y, "rev"} <= fields
    assert specification["data"]["values"] == [row]


@pytest.mark.parametrize(("template", "table", "x", "y"), plots(), ids=lambda value: value.split("/")[-1])
def test_the_revisions_that_dvc_compares_are_told_apart(template, table, x, y):
    texts = {"domain": "in", "head": "conv", "representation": "rgb", "layer": "mid", "view": "best"}
    row = dict.fromkeys(TABLES[table].names, "0.5") | {k: v for k, v in texts.items() if k in TABLES[table].names}
    drawn = [
        vl_convert.vegalite_to_svg(filled(template, [row | {"rev": rev} for rev in revs], x, y), vl_version="5.8")
        for revs in (["workspace"], ["workspace", "main"])
    ]
    assert drawn[0].count("graphics-symbol") < drawn[1].count("graphics-symbol")


@pytest.mark.parametrize("win", [0, 1])
@pytest.mark.parametrize("high", [-0.01, 0.0, 0.2])
@pytest.mark.parametrize("p", [0.01, 0.2])
def test_a_lift_has_the_same_verdict_in_a_chart_and_in_a_sentence(win, high, p):
    numbers = {"win": win, "lift_low": -0.3, "lift": -0.1, "lift_high": high, "p_adjusted": p}
    row = dict.fromkeys(LIFTS.names, "in") | {key: str(value) for key, value in numbers.items()}
    specification = filled("stages/reporting/charts/lifts.json", [row | {"rev": "workspace"}], "lift", "over")
    scenegraph = json.dumps(vl_convert.vegalite_to_scenegraph(specification, vl_version="5.8"))
    colors = {"#00609a": WIN, "#cf5a00": BEHIND, "#555f6b": "no difference shown"}
    (mark,) = set(re.findall(r'"description": "in over in[^}]*?"fill": "(#\w{6})"', scenegraph)) or set(
        re.findall(r'"fill": "(#\w{6})"[^}]*?"description": "in over in', scenegraph)
    )
    assert colors[mark] == verdict(numbers)
