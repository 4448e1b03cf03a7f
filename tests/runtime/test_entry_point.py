"""A stage as a program: what its user reads, and its exit code."""

import os
import subprocess
import sys

import pytest

from stages.runtime.entry_point import ERROR_FILE
from tests.project import ROOT


def run(statement: str, **variables: str) -> subprocess.CompletedProcess:
    """Run a stage that executes one statement."""
    program = (
        "import errno\nfrom stages.runtime.entry_point import run\nfrom stages.runtime.errors import StageError\n"
        f"def main():\n    {statement}\nrun(main)"
    )
    environment = os.environ | variables
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)


def test_a_stage_that_succeeds_exits_with_0():
    ended = run("print('done')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_an_error_for_the_user_has_no_traceback():
    ended = run("raise StageError('loss.pixel must be one of ...')")
    assert ended.returncode == 1
    assert ended.stderr == "error: loss.pixel must be one of ...\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("PermissionError(errno.EACCES, 'Permission denied', 'data/x')", "error: data/x: Permission denied. "),
        ("OSError(errno.ENOSPC, 'No space left on device')", "error: No space left on device. "),
        ("OSError(errno.ENOSPC, 'No space left on device', '/x')", " bytes are free there). "),
    ],
)
def test_an_error_of_the_system_is_told_with_its_path_and_without_a_traceback(error, message):
    ended = run(f"raise {error}")
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_bug_has_its_traceback():
    ended = run("raise OSError('neither a path nor a reason')")
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr


def test_one_of_several_processes_leaves_its_error_to_the_stage_that_started_it(tmp_path):
    ended = run("raise StageError('the loss is not finite')", **{ERROR_FILE: str(tmp_path / "error")})
    assert (ended.returncode, ended.stderr) == (1, "")
    assert (tmp_path / "error").read_text() == "the loss is not finite"


def test_a_terminal_without_a_character_shows_its_escape():
    ended = run("print('57.7 ± 6.8')", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "57.7 \\xb1 6.8\n", "")


def test_data_behind_a_link_is_refused_before_the_work_that_dvc_could_not_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to("disk")
    variables = {"DVC_STAGE": "split", "PYTHONPATH": str(ROOT)}
    assert run("print('done')", **variables).stdout == "done\n"  # without git, DVC records it
    (tmp_path / ".git").mkdir()
    ended = run("print('done')", **variables)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "error: data is a symbolic link to disk" in ended.stderr
    assert "dvc cache dir --local" in ended.stderr
