"""What a change of each parameter reruns: the stages of dvc.yaml that read it, and all that depend on them.

DVC resolves dvc.yaml itself, with every name of stages/study/representations.py listed in the parameters. Three stages
write files that often stay the same, and DVC skips what depends on those: `check_params` writes the same bytes always;
`prepare_objectives` writes files for each objective and control, so each parameter is changed here to see which of them
change; and `convert_held_out` writes a file for each control, which one more control leaves alone.
"""

import json
import re
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np
import yaml
from dvc.repo import Repo

from stages.palette.bins import gamut_bins
from stages.palette.counts import COLORS, write_joint, write_mean_ab, write_prior
from stages.prepare_objectives import control_settings
from stages.runtime.consistency import NOT_FINETUNED
from stages.runtime.params import load_params
from stages.runtime.schema import FinetunedPixels, Group, Params
from stages.study.representations import CONTROLS, ENCODERS, OBJECTIVES, PIXELS

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
SAME_BYTES, PER_OBJECTIVE, OBJECTIVES_FOLDER = "check_params", "prepare_objectives", "data/objectives"
PER_CONTROL, CONTROLS_KEY = "convert_held_out", "pretext.controls"

Reruns = dict[str, set[str]]  # the items of each stage; without a matrix it has one, ""


def leaves(group: type[Group] = Params, prefix: str = "") -> Iterator[str]:
    """The keys of all parameters, in the schema's order."""
    for name, field in group.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group):
            yield from leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@cache
def parameter_reruns() -> dict[str, Reruns]:
    """What a change of each parameter reruns, `check_params` aside. Of a matrix: what one more name runs."""
    changes = objective_files()
    with TemporaryDirectory() as folder:
        Path(folder, ".dvc").mkdir()
        Path(folder, ".dvc/config").write_text("[core]\n    no_scm = true\n")
        Path(folder, "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
        Path(folder, "params.yaml").write_text(yaml.safe_dump(with_all_names()))
        with Repo(folder) as repo:
            stages = {stage.addressing.split(":")[-1]: stage for stage in repo.index.stages}
    return {key: _reruns(key, stages, changes[key], changes[COLORS]) for key in leaves()}


def every_item() -> Reruns:
    """All stages but `check_params`, with all their items."""
    names = with_all_names()
    return {name: set(_items(name, names) or [""]) for name in STAGES if name != SAME_BYTES}


def matrix_key(stage: str) -> str | None:
    """The parameter that lists a stage's items."""
    matrix = STAGES[stage].get("matrix")
    return next(iter(matrix.values())).removeprefix("${").removesuffix("}") if matrix else None


def with_all_names() -> dict:
    """The sample's parameters with every objective, control and kind of pixels, and all that can be fine-tuned."""
    values = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())
    values["pretext"] |= {"objectives": [*OBJECTIVES], "controls": [*CONTROLS]}
    values["probe"]["representations"] = {"pixels": [*PIXELS], "latents": [*ENCODERS]}
    latents = [name for name in ENCODERS if name not in NOT_FINETUNED]
    values["finetune"]["representations"] = {"pixels": [*get_args(FinetunedPixels)], "latents": latents}
    return values


def objective_files() -> dict[str, set[str]]:
    """Which files of data/objectives change with each parameter, and with the counted colours (`COLORS`)."""
    with TemporaryDirectory() as folder, chdir(folder):
        Path("params.yaml").write_text(yaml.safe_dump(with_all_names()))
        params = load_params()
        bins = gamut_bins(params.classification.bin_size)
        Path(COLORS).mkdir(parents=True)
        write_prior(f"{COLORS}/prior.csv", bins, np.full(len(bins), 1 / len(bins)))
        write_mean_ab(f"{COLORS}/mean_ab.csv", np.ones(256), np.zeros((256, 2)))
        write_joint(f"{COLORS}/joint.npy", np.ones((3, 256, len(bins)), dtype=np.int64))
        before = _settings(params)
        changes = {key: _differences(before, _settings(_change(params, key.split(".")))) for key in leaves()}
        write_prior(f"{COLORS}/prior.csv", bins, np.linspace(0, 2, len(bins)) / len(bins))
        return changes | {COLORS: _differences(before, _settings(params))}


def _settings(params: Params) -> dict[str, str]:
    """What `prepare_objectives` would write: JSON by path."""
    shares = {name: import_module(f"stages.objectives.{name}").settings(params) for name in OBJECTIVES}
    shares |= {name: {"train": control_settings(name, params)} for name in CONTROLS}
    return {
        f"{OBJECTIVES_FOLDER}/{name}/{part}.json": json.dumps(settings)
        for name, share in shares.items()
        for part, settings in share.items()
    }


def _differences(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {path for path in before if before[path] != after[path]}


def _change(group: Group, key: list[str]) -> Group:
    """The parameters with another value of one, of its own type."""
    name, *rest = key
    value, choices = getattr(group, name), get_args(type(group).model_fields[name].annotation)
    if rest:
        other = _change(value, rest)
    elif isinstance(value, str) and choices:
        other = next(choice for choice in choices if choice != value)
    elif isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = value + 1 if isinstance(value, int) or value == 0 else value / 2
    else:
        other = value  # a list, a text or null: no objective reads one
    return group.model_copy(update={name: other})


def _items(stage: str, values: dict) -> list[str] | None:
    key = matrix_key(stage)
    if key is None:
        return None
    for part in key.split("."):
        values = values[part]
    return values


def _reruns(key: str, stages: dict, changed: set[str], changed_with_colors: set[str]) -> Reruns:
    """The stages that declare a parameter, and all that read a path which one of these may write otherwise."""
    reruns = {name for name, stage in stages.items() if name != SAME_BYTES and key in _declared(stage)}
    for stage in STAGES:
        if matrix_key(stage) == key:
            added = _items(stage, with_all_names())[-1]
            reruns.add(f"{stage}@{added}")
            changed = changed | {f"{OBJECTIVES_FOLDER}/{added}/{part}.json" for part in ("train", "paint")}
    rewritten = {PER_CONTROL: {f"data/held_out/{added}.npy"}} if key == CONTROLS_KEY else {}
    while True:
        if "count_colors" in reruns:
            changed = changed | changed_with_colors
        rewritten[PER_OBJECTIVE] = changed
        written = set().union(*(rewritten.get(name, _outputs(stages[name])) for name in reruns))
        below = {name for name, stage in stages.items() if _reads(stage, written)}
        if below <= reruns:
            break
        reruns |= below
    found = {}
    for name in stages:
        if name in reruns:
            stage, _, item = name.partition("@")
            found.setdefault(stage, set()).add(item)
    return found


def _declared(stage) -> set[str]:
    """The parameters that a stage declares, those of a declared group among them."""
    declared = {key for dependency in stage.deps for key in getattr(dependency, "params", None) or []}
    return {key for key in leaves() if any(key == name or key.startswith(f"{name}.") for name in declared)}


def _outputs(stage) -> set[str]:
    return {output.def_path for output in stage.outs}


def _reads(stage, written: set[str]) -> bool:
    paths = {dependency.def_path for dependency in stage.deps}
    return any(
        one == other or re.match(rf"{re.escape(one)}/", other) or re.match(rf"{re.escape(other)}/", one)
        for one in paths
        for other in written
    )
