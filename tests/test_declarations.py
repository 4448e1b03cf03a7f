"""dvc.yaml says of each stage what it really imports and reads, no more and no less."""

import ast
import runpy
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml

import stages.pretext.pretraining
import stages.shared.params
from stages.shared.params import Control, Group, Objective, load_params
from tests.project import ENCODERS, ROOT, RUNS, make_project

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

TOOLS = {"colorize"}  # run by a person, not by DVC


def imported(path: Path, found: set[str]) -> set[str]:
    """The project's modules that a module imports, at any depth and in any place, as paths."""
    name = path.relative_to(ROOT).as_posix()
    if name in found:
        return found
    found.add(name)
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in modules:
            file = ROOT / (module.replace(".", "/") + ".py")
            if module.startswith("stages.") and file.exists():
                imported(file, found)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_on_code_are_the_imports(stage):
    declared = [dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")]
    assert sorted(declared) == sorted(imported(ROOT / f"stages/{stage}.py", set()))


def test_templates_are_dependencies_too():
    others = {p.relative_to(ROOT).as_posix() for p in (ROOT / "stages").rglob("*") if p.is_file()}
    others = {path for path in others if not path.endswith((".py", ".pyc"))}
    assert others
    assert others <= {dep for stage in STAGES.values() for dep in stage["deps"]}


def test_packages_hold_no_code_that_no_stage_would_notice():
    assert [path for path in (ROOT / "stages").rglob("__init__.py") if path.read_text().strip()] == []


def test_every_stage_has_a_module_and_says_what_it_is_for():
    modules = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert modules - TOOLS == STAGES.keys() == RUNS.keys()
    for name, stage in STAGES.items():
        assert stage["cmd"].startswith(f"python -m stages.{name}")
        assert stage["desc"]


class Recording:
    """A group of parameters that notes which of its leaves are read."""

    def __init__(self, group: Group, prefix: str, reads: set[str]):
        self._group, self._prefix, self._reads = group, prefix, reads

    def __getattr__(self, name):
        if name not in type(self._group).model_fields:
            return getattr(type(self._group), name).fget(self)
        value, key = getattr(self._group, name), f"{self._prefix}{name}"
        if isinstance(value, Group):
            return Recording(value, f"{key}.", self._reads)
        self._reads.add(key)
        return value


def leaves(group: Group, prefix: str = "") -> set[str]:
    found = set()
    for name in type(group).model_fields:
        value = getattr(group, name)
        found |= leaves(value, f"{prefix}{name}.") if isinstance(value, Group) else {f"{prefix}{name}"}
    return found


@pytest.fixture(scope="module")
def reads(tmp_path_factory) -> dict[str, set[str]]:
    """The parameters that each stage reads when it runs."""
    project = make_project(tmp_path_factory.mktemp("reads") / "project")
    project.change(
        {
            "pretext": {"controls": [*get_args(Control)], "objectives": [*get_args(Objective)]},
            "probe": {"representations": {"latents": ENCODERS}},
        }
    )
    recorded = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.path)
        # It reads what dvc.yaml declares, whatever that is.
        patch.setattr(stages.pretext.pretraining, "inputs_key", lambda *args: "key")
        patch.setattr("stages.shared.interruption.run", lambda main: main())
        for stage, runs in RUNS.items():
            recorded[stage] = set()
            patch.setattr(
                stages.shared.params,
                "load_params",
                lambda reads=recorded[stage]: Recording(load_params(), "", reads),
            )
            for arguments in runs:
                patch.setattr(sys, "argv", [stage, *arguments])
                patch.delitem(sys.modules, f"stages.{stage}", raising=False)
                runpy.run_module(f"stages.{stage}", run_name="__main__")
            if stage == "download":
                archive = project.path / "data/raw/food-101.tar.gz"
                project.change({"data": {"source": "food101", "url": str(archive.rename("a.tar.gz")), "md5": None}})
                runpy.run_module(f"stages.{stage}", run_name="__main__")
    return recorded


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_declared_are_the_parameters_read(stage, reads):
    params = load_params(ROOT / "params.yaml")
    declared = set()
    for key in STAGES[stage].get("params", []):
        declared |= {leaf for leaf in leaves(params) if leaf == key or leaf.startswith(f"{key}.")}
    assert declared == reads[stage]


def test_every_parameter_is_read_by_some_stage():
    declared = {key for stage in STAGES.values() for key in stage.get("params", [])}
    interpolated = {"pretext.objectives", "pretext.controls", "probe.representations.latents", "evaluate.probe"}
    for leaf in leaves(load_params(ROOT / "params.yaml")):
        parents = {".".join(leaf.split(".")[:depth]) for depth in range(1, 4)}
        assert parents & (declared | interpolated), f"no stage declares {leaf}"
