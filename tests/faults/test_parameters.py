"""Wrong parameters: refused within a second, before any work; and a parameter is data, never a command.

`tests/runtime/test_params.py` generates the cases from the schema: every key with what it cannot be.
"""

import subprocess
import sys
import time

import pytest
import yaml

from stages.runtime.errors import StageError
from stages.runtime.params import load_params
from tests.project import ROOT, RUNS, environment, merged

PARAMS = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_refuses_before_it_imports_or_touches_anything(tmp_path, stage):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(merged(PARAMS, {"train": {"epochs": -1}})))
    command = [sys.executable, "-X", "importtime", "-m", f"stages.{stage}", *RUNS[stage][0]]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment() | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "  train.epochs must be at least 1; got -1" in ended.stderr
    assert not any(line.endswith((" torch", " sklearn", " diffusers")) for line in ended.stderr.splitlines())
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_a_refusal_takes_less_than_a_second(tmp_path):
    """The processor's time, of the best of three: not that of a busy machine."""
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(merged(PARAMS, {"probe": {"epochs": "many"}})))
    took = []
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(StageError, match=r"probe\.epochs must be a whole number; got 'many'"):
            load_params(tmp_path / "params.yaml")
        took.append(time.process_time() - start)
    assert min(took) < 1


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ('probe.representations.pixels=["rgb_small","rgb; touch pwned"]', "got 'rgb; touch pwned'"),
        ('pretext.controls=["random","random && touch pwned"]', "got 'random && touch pwned'"),
        ('pretext.objectives=["colorization","$(touch pwned)"]', "got '$(touch pwned)'"),
        ('probe.representations.latents=["`touch pwned`"]', "got '`touch pwned`'"),
        ('data.url="x; touch pwned"', None),
    ],
)
def test_a_parameter_with_a_command_in_it_is_data(project, override, said):
    """All of the pipeline is cached: nothing else stands between DVC and the command that it makes of the parameter."""
    if said is None:
        override = [override, "-S", "data.source=food101"]
        said = "there is no "
    else:
        override = [override]
    ended = project.run("dvc", "exp", "run", "-S", *override, check=False)
    assert ended.returncode != 0
    assert said in ended.stdout
    assert not list(project.path.rglob("pwned"))


def test_a_group_that_is_no_parameter_is_refused(project):
    with (project.path / "params.yaml").open("a") as file:
        file.write("trian:\n  epochs: 3\n")
    ended = project.run("dvc", "repro", check=False)
    assert ended.returncode != 0
    assert "trian is not a parameter; did you mean train?" in ended.stdout


def test_every_command_is_behind_the_check():
    """Each stage depends, at some remove, on what check_params writes."""
    makers = {}
    for name, stage in STAGES.items():
        for out in stage.get("outs", []):
            makers[out if isinstance(out, str) else next(iter(out))] = name

    def behind(name: str) -> bool:
        if name == "check_params":
            return True
        deps = [f"{dep.partition('/${')[0]}/" for dep in STAGES[name]["deps"] if dep.startswith(("data/", "metrics/"))]
        outs = [(f"{out.partition('/${')[0]}/", maker) for out, maker in makers.items()]
        above = {maker for dep in deps for out, maker in outs if dep.startswith(out) or out.startswith(dep)}
        return any(behind(maker) for maker in above - {name})

    for name in STAGES:
        assert behind(name), name
