import json
import re
from pathlib import Path

import pytest
from dvc_render import VegaRenderer

from stages.comparison.tables import ACCURACY, CURVES, DEPTH, LABEL_EFFICIENCY

TEMPLATES = Path(__file__).parents[2] / ".dvc/plots"


@pytest.mark.parametrize(
    ("template", "columns", "x", "y"),
    [
        ("accuracy", ACCURACY.names, "accuracy", "representation"),
        ("probe_curves", CURVES.names, "epoch", "validation_accuracy"),
        ("label_efficiency", LABEL_EFFICIENCY.names, "labels", "accuracy"),
        ("depth", DEPTH.names, "layer", "accuracy"),
    ],
)
def test_dvc_fills_a_template_and_it_draws_columns_that_the_table_has(template, columns, x, y):
    row = dict.fromkeys(columns, "1") | {"rev": "workspace"}
    renderer = VegaRenderer([row], template, template=template, template_dir=str(TEMPLATES), x=x, y=y, title="t")
    filled = renderer.partial_html()
    assert "<DVC_METRIC" not in filled
    made = set(re.findall(r'"as": \[?"(\w+)"', filled))
    fields = set(re.findall(r'"field": "(\w+)"', filled)) | set(re.findall(r"datum\.(\w+)", filled))
    assert fields - made <= set(row) and {x, y, "rev"} <= fields
    assert json.loads(filled)["data"]["values"] == [row]
