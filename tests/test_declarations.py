"""dvc.yaml says of each stage what it really imports and reads, no more and no less."""

import ast
import re
import runpy
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml

import stages.runtime.params
import stages.training.pretraining
from stages.prepare_objectives import ROOMS
from stages.runtime.params import load_params
from stages.runtime.schema import Control, Group, Objective
from tests.project import ENCODERS, ROOT, RUNS, make_project

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

TOOLS = {"colorize"}  # run by a person, not by DVC

# Names that a stage imports by `import_module`, by the folder that its matrix values are modules of.
BY_NAME = {"train_autoencoder": "objectives", "train_control": "controls", "prepare_objectives": "objectives"}

# Modules that a module imports by `import_module`, all of them.
HEADS = sorted((ROOT / "stages/probing/heads").glob("[!_]*.py"))
ALL_BY_NAME = {"stages/probing/protocol.py": HEADS}

# What dvc.yaml declares and a stage does not import, with the reason. Everything else must be imported.
COVERED_ONLY = {
    # The networks are one room, which objectives and controls share.
    "train_control": {"stages/models/split_brain.py"},
    "train_autoencoder": {"stages/models/kmeans_patches.py"},
    "prepare_objectives": {"stages/models/kmeans_patches.py"},
    "finetune_pixels": {"stages/models/kmeans_patches.py"},
    # The other three modules of the room are imported, and MOST_CODE names are not enough for all.
    "finetune": {"stages/formats/json.py"},
    # The baselines are a painter more; the networks' pictures are drawn for networks only.
    "paint": {"stages/painting/baselines.py"},
    "paint_baselines": {"stages/painting/pictures.py"},
}
MOST_CODE = 12


def is_code(path: str) -> bool:
    return path.startswith("stages/")


def expanded(dependency: str) -> set[str]:
    """The modules of a folder, or the module itself; __init__.py files are empty but for their docstring."""
    path = ROOT / dependency
    files = path.rglob("*.py") if path.is_dir() else [path]
    return {file.relative_to(ROOT).as_posix() for file in files if file.name != "__init__.py"}


def imported(path: Path, found: set[str] | None = None) -> set[str]:
    """The project's modules that a module imports, at any depth and in any place, as paths.

    Not followed: stages.runtime, which cannot change a byte of an output, and what is imported for type checkers only.
    """
    found = set() if found is None else found
    name = path.relative_to(ROOT).as_posix()
    if name in found:
        return found
    found.add(name)
    for file in ALL_BY_NAME.get(name, []):
        imported(file, found)
    nodes = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            continue
        nodes += ast.iter_child_nodes(node)
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in modules:
            file = ROOT / (module.replace(".", "/") + ".py")
            if module.startswith("stages.") and not module.startswith("stages.runtime") and file.exists():
                imported(file, found)
    return found


def instances(stage: str) -> list[tuple[list[str], set[str]]]:
    """Declared and imported code of a stage, once for each of its matrix values."""
    declared = [dependency for dependency in STAGES[stage]["deps"] if is_code(dependency)]
    if stage not in BY_NAME:
        return [(declared, imported(ROOT / f"stages/{stage}.py"))]
    names = get_args(Control) if BY_NAME[stage] == "controls" else get_args(Objective)
    found = []
    for name in names:
        modules = imported(ROOT / f"stages/{stage}.py") | imported(ROOT / f"stages/{BY_NAME[stage]}/{name}.py")
        found.append(([re.sub(r"\$\{item\.\w+\}", name, dependency) for dependency in declared], modules))
    if "matrix" not in STAGES[stage]:
        found = [(declared, set().union(*(modules for _, modules in found)))]
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_everything_that_a_stage_imports_is_declared(stage):
    for declared, modules in instances(stage):
        assert modules - set().union(*map(expanded, declared)) == set()


@pytest.mark.parametrize("stage", sorted(STAGES.keys() - {"check_params"}))
def test_everything_that_a_stage_declares_is_imported_but_for_exceptions_with_a_reason(stage):
    """By some of its matrix values: DVC's matrix gives all of them the same dependencies."""
    unused = [set().union(*map(expanded, declared)) - modules for declared, modules in instances(stage)]
    assert set.intersection(*unused) == COVERED_ONLY.get(stage, set())


def test_what_swapped_imports_by_name_is_in_the_digest_of_its_share():
    """It trains by an objective, whose code `train_control` cannot declare: a changed loss would train all controls
    again. So its share of data/objectives, on which it depends, has a digest of that code."""
    declared = STAGES["train_control"]["deps"]
    covered = set().union(
        *(expanded(dependency) for dependency in declared if is_code(dependency) and "$" not in dependency)
    )
    assert set(ROOMS) <= set(STAGES["prepare_objectives"]["deps"])
    for name in get_args(Objective):
        module = f"stages/objectives/{name}.py"
        digested = set().union(*map(expanded, (module, *ROOMS)))
        assert module in digested - covered
        assert imported(ROOT / module) - covered <= digested


def test_check_params_alone_depends_on_the_runtime_and_covers_what_it_imports():
    declared = {stage for stage in STAGES if any(dep.startswith("stages/runtime") for dep in STAGES[stage]["deps"])}
    assert declared == {"check_params"}
    below = set().union(*(imported(file) for file in (ROOT / "stages/runtime").glob("*.py")))
    below = {path for path in below if not path.startswith("stages/runtime/")}
    covered = set().union(*map(expanded, filter(is_code, STAGES["check_params"]["deps"])))
    assert below | {"stages/check_params.py"} == {path for path in covered if not path.startswith("stages/runtime/")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_like_a_line_of_a_table_of_contents(stage):
    assert len([dependency for dependency in STAGES[stage]["deps"] if is_code(dependency)]) <= MOST_CODE


def test_the_pipeline_fits_on_some_pages():
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 400


def test_every_file_beside_the_code_is_in_a_room_that_a_stage_depends_on():
    others = {p.relative_to(ROOT).as_posix() for p in (ROOT / "stages").rglob("*") if p.is_file()}
    others = {path for path in others if not path.endswith((".py", ".pyc"))}
    assert others
    rooms = {dependency for stage in STAGES.values() for dependency in stage["deps"] if is_code(dependency)}
    assert {path for path in others if not any(path.startswith(f"{room}/") or path == room for room in rooms)} == set()


def test_packages_hold_no_code_that_no_stage_would_notice():
    for path in (ROOT / "stages").rglob("*/__init__.py"):  # not of stages/__init__.py, which holds no value
        body = ast.parse(path.read_text()).body
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body), path
    (_, imported, _) = ast.parse((ROOT / "stages/__init__.py").read_text()).body
    assert imported.module == "stages.runtime.interpreter"


def test_every_stage_has_a_module_and_says_what_it_is_for():
    modules = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert modules - TOOLS == STAGES.keys() == RUNS.keys()
    for name, stage in STAGES.items():
        assert stage["cmd"].startswith(f"python3 -m stages.{name}")  # Debian has no `python`
        assert stage["desc"]


class Recording:
    """A group of parameters that notes which of its leaves are read."""

    def __init__(self, group: Group, prefix: str, reads: set[str]):
        self._group, self._prefix, self._reads = group, prefix, reads

    def __getattr__(self, name):
        if name not in type(self._group).model_fields:
            attribute = getattr(type(self._group), name)
            return attribute.fget(self) if isinstance(attribute, property) else getattr(self._group, name)
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
            "latents": {"layers": ["down_0", "mid", "latent"]},  # one of them without all heads
        }
    )
    recorded = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.path)
        # It reads what dvc.yaml declares, whatever that is.
        patch.setattr(stages.training.pretraining, "inputs_key", lambda *args: "key")
        patch.setattr("stages.runtime.entry_point.run", lambda main: main())
        for stage, runs in RUNS.items():
            recorded[stage] = set()
            patch.setattr(
                stages.runtime.params,
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
