"""Each name of the table has what its consumers need."""

from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from stages.dataset.manifest import SUBSETS
from stages.formats.json import write_json
from stages.runtime.params import load_params
from stages.runtime.schema import Control, Encoder, Objective, PixelRepresentation
from stages.study.representations import (
    BY_NAME,
    CONTROLS,
    ENCODERS,
    OBJECTIVES,
    PALETTE,
    PIXELS,
    REPRESENTATIONS,
    sees_color,
)
from stages.study.vocabulary import DOMAINS
from tests.project import ROOT

STAGES = Path(import_module("stages").__path__[0])


def test_names_are_listed_once():
    names = [row.name for row in REPRESENTATIONS]
    assert len(set(names)) == len(names)


def test_the_schema_accepts_the_names_of_the_table_and_no_others():
    assert get_args(Objective) == OBJECTIVES
    assert get_args(Control) == CONTROLS
    assert get_args(Encoder) == ENCODERS
    assert get_args(PixelRepresentation) == PIXELS


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_is_a_module_that_gives_its_settings_and_itself(name):
    module = import_module(f"stages.objectives.{name}")
    assert callable(module.settings)
    assert callable(module.objective)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_a_module_that_gives_itself(name):
    assert callable(import_module(f"stages.controls.{name}").control)


def test_there_is_no_control_without_a_row():
    modules = {
        path.stem: import_module(f"stages.controls.{path.stem}") for path in (STAGES / "controls").glob("[!_]*.py")
    }
    assert {name for name, module in modules.items() if hasattr(module, "control")} == set(CONTROLS)


@pytest.mark.parametrize("name", sorted(set(CONTROLS) - {"supervised"}))
def test_a_control_without_labels_is_in_no_labelled_row(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loss = load_params(ROOT / "profiles/sample.yaml").loss.model_dump() | {"lpips_weight": 0.0}
    settings = {"loss": loss, "chroma_stride": 1, "offsets": []}
    share = {"objective": "colorization", "settings": settings, "output_stride": 1}
    write_json(f"data/objectives/{name}/train.json", share)
    control = import_module(f"stages.controls.{name}").control()
    assert BY_NAME[name].labelled == getattr(control, "labelled", False)  # what is fitted at once sees no label


def test_there_is_no_objective_without_a_row():
    assert {path.stem for path in (STAGES / "objectives").glob("*.py")} - {"__init__"} == set(OBJECTIVES)


@pytest.mark.parametrize("row", REPRESENTATIONS, ids=lambda row: row.name)
def test_a_row_can_be_described_and_drawn(row):
    assert row.description
    assert row.color in PALETTE
    assert row.shape in {"circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "stroke"}
    assert sees_color(row.name) == (row.sees == "colour")


def test_a_name_that_is_in_no_row_sees_no_color():
    assert not sees_color("something")


def test_every_domain_of_the_data_has_a_name():
    assert list(DOMAINS) == list(SUBSETS)
