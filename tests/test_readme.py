"""What the README says to paste can be pasted."""

import itertools
import re
import shlex

import pytest
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps

from stages.runtime.errors import StageError
from stages.runtime.params import load_params
from tests.project import ROOT

README = (ROOT / "README.md").read_text()


def test_links_lead_to_files_that_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_python_example_runs(finished, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(finished.path)
    names = {}
    exec(example, names)
    assert names["latents"].shape == (8, 4, 8, 8)


def test_every_parameter_is_in_the_table():
    from stages.runtime.schema import Params

    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([a-z0-9_.]+)`", " ".join(rows)))
    for group, field in Params.model_fields.items():
        for key in getattr(field.annotation, "model_fields", [""]):
            whole = f"{group}.{key}".rstrip(".")
            assert key in named or any(name.startswith(whole) for name in named), f"{whole} is not in the README"


@pytest.mark.parametrize("command", ["make repro", "make test"])
def test_the_two_commands_are_the_makefiles(command):
    assert f"    {command} " in README
    assert f"\n{command.split()[1]}:" in (ROOT / "Makefile").read_text()


COMMANDS = re.findall(r"^\$ (dvc exp run (?:.*\\\n)*.*)", README, re.MULTILINE) + re.findall(r"`(-S [^`]*)`", README)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("profile", ["sample", "food101"])
def test_what_it_says_to_set_is_accepted(tmp_path, command, profile):
    """By DVC, which applies it, and by the stages, which read it; the one that is there to be refused is refused."""
    words = shlex.split(command.replace("\\\n", " "))
    given = [value for flag, value in itertools.pairwise(words) if flag == "-S"]
    assert given
    for overrides in get_hydra_sweeps({"params.yaml": given}):
        path = tmp_path / "params.yaml"
        path.write_text((ROOT / f"profiles/{profile}.yaml").read_text())
        apply_overrides(path, overrides["params.yaml"])
        if given == ["loss.lpips_weight=-1"]:
            with pytest.raises(StageError, match=r"loss\.lpips_weight must be at least 0.0; got -1"):
                load_params(path)
        else:
            load_params(path)
