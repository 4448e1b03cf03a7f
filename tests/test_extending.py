"""What docs/extending.md says, done in a copy of a project: a control and an objective, up to the report."""

import json
import re

import pandas as pd
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from tests.project import ROOT, Project
from tests.test_pipeline import ran

PAGE = (ROOT / "docs/extending.md").read_text()
# A pretext is a module of these rooms; the new head that the page shows too is tried by tests/test_train_probes.py.
MODULES = dict(re.findall(r"```python\n# (stages/(?:controls|objectives)/\S+\.py)\n(.*?)```", PAGE, re.DOTALL))
ROWS = re.findall(r"```python\n# a row of REPRESENTATIONS\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^\$ dvc exp run ((?:.*\\\n)*.*)", PAGE, re.MULTILINE)
CONTROL, OBJECTIVE = "blurred_lightness", "charbonnier"


def test_the_page_has_a_module_a_row_and_a_command_for_each():
    assert set(MODULES) == {f"stages/controls/{CONTROL}.py", f"stages/objectives/{OBJECTIVE}.py"}
    assert [f'"{name}"' in row for name, row in zip((CONTROL, OBJECTIVE), ROWS, strict=True)] == [True, True]
    assert len(COMMANDS) == 2


def add(project: Project) -> None:
    """The modules and the rows."""
    for path, code in MODULES.items():
        (project.path / path).write_text(code)
    table = project.path / "stages/study/representations.py"
    head, end, tail = table.read_text().partition("\n)\n# fmt: on")
    assert end
    table.write_text(f"{head}\n{''.join(ROWS).rstrip()}{end}{tail}")


@pytest.fixture(scope="module")
def output(finished, tmp_path_factory) -> tuple[Project, str]:
    """A project to which both were added, and what `dvc repro` then said."""
    project = finished.copy(tmp_path_factory.mktemp("extended") / "project")
    add(project)
    project.change(
        {
            "pretext": {
                "controls": ["random", CONTROL],
                "objectives": ["colorization", OBJECTIVE],
            },
            "probe": {"representations": {"latents": ["random", "colorization", CONTROL, OBJECTIVE]}},
        }
    )
    return project, project.run("dvc", "repro").stdout


def test_its_own_stages_run_and_no_other_training(output):
    assert ran(output[1]) == {
        "check_params",
        "convert_held_out",
        f"train_control@{CONTROL}",
        f"extract_latents@{CONTROL}",
        f"train_probes@{CONTROL}",
        "prepare_objectives",
        f"train_autoencoder@{OBJECTIVE}",
        f"extract_latents@{OBJECTIVE}",
        f"train_probes@{OBJECTIVE}",
        f"paint@{OBJECTIVE}",
        "evaluate_colorization",
        "compare",
        "report",
    }


@pytest.mark.parametrize("name", [CONTROL, OBJECTIVE])
def test_metrics_tables_charts_and_report_carry_the_name(output, name):
    metrics = output[0].path / "metrics"
    comparison = json.loads((metrics / "comparison.json").read_text())
    assert {name in comparison[domain] for domain in ("in_domain", "out_of_domain")} == {True}
    for table in ("comparison", "label_efficiency", "depth", "accuracy"):
        assert name in set(pd.read_csv(metrics / f"{table}.csv").representation), table
    assert name in set(pd.read_csv(metrics / "lifts.csv")[["representation", "over"]].to_numpy().ravel())
    assert name in (metrics / "accuracy.svg").read_text()
    row = next(row for row in ROWS if f'"{name}"' in row)
    report = (metrics / "report.html").read_text()
    assert report.count(name) > 5
    assert re.findall(r'"([^"]*)"', row)[-1] in report, "the description"


def test_what_paints_is_scored(output):
    scores = json.loads((output[0].path / "metrics/colorization.json").read_text())
    assert scores["in_domain"][OBJECTIVE].keys() == scores["in_domain"]["colorization"].keys()
    assert CONTROL not in scores["in_domain"]


def test_a_control_is_compared_with_what_learned_from_colour(output):
    lifts = pd.read_csv(output[0].path / "metrics/lifts.csv")
    assert {"colorization", OBJECTIVE} == set(lifts[lifts.over == CONTROL].representation)
    assert CONTROL not in set(lifts.representation)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_accepted(output, tmp_path, command):
    """By DVC, and by the stages of a project that has the new names."""
    given = re.findall(r"-S '([^']*)'", command)
    assert len(given) == 2
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "profiles/sample.yaml").read_text())
    apply_overrides(path, given)
    check = f"from stages.runtime.params import load_params; load_params({str(path)!r})"
    output[0].run("python", "-c", check)
    before = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())
    assert set(before["probe"]["representations"]["latents"]) < set(_latents(path))


def _latents(path) -> list[str]:
    return yaml.safe_load(path.read_text())["probe"]["representations"]["latents"]


def test_an_edit_that_changes_nothing_reruns_nothing_after_dvc_commit(project):
    commands = re.findall(r"^\$ ((?:dvc|git) (?:status|commit)[^#\n]*)", PAGE[PAGE.index("## An edit") :], re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["status", "commit", "commit"]
    module = project.path / "stages/training/loop.py"
    module.write_text(module.read_text() + "# a comment\n")
    status, commit, commit_git = commands
    assert "train_autoencoder@colorization" in project.run("bash", "-c", status).stdout
    project.run("bash", "-c", commit)
    project.run("bash", "-c", commit_git)
    assert "up to date" in project.run("dvc", "status").stdout
    assert ran(project.run("dvc", "repro").stdout) == set()
