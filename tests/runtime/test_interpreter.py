"""A Python that cannot run the stages says so in a line, with what to type."""

import os
import subprocess
import sys

import pytest

from stages.runtime import interpreter
from tests.project import ROOT, environment


def test_a_python_without_the_packages_says_so_in_a_line():
    """`-S`: without the folder of installed packages, as the system's Python where no environment is activated."""
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "stages.check_params"],
        cwd=ROOT,
        env=environment() | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {sys.executable} (Python 3.")
    assert " lacks psutil. Activate the environment" in line
    assert "`source .venv/bin/activate`" in line


def test_an_old_python_is_told_before_it_reads_any_module(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["-m", "check_params"])
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"\(Python 3\.9\.2\) is too old\. Activate the environment"):
        interpreter.explain_missing_packages()


def test_a_library_leaves_errors_alone(monkeypatch):
    before = sys.excepthook
    monkeypatch.setattr(sys, "argv", [os.fspath(ROOT / "notebook.py")])
    interpreter.explain_missing_packages()
    assert sys.excepthook is before


@pytest.mark.parametrize("error", [ModuleNotFoundError("x", name="stages.absent"), ValueError("x")])
def test_an_error_of_the_project_has_its_traceback(error, capsys):
    interpreter._print_line(type(error), error, None)
    assert "Activate" not in capsys.readouterr().err
