"""What the README says to paste can be pasted."""

import re

import pytest

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
    from stages.shared.params import Params

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
