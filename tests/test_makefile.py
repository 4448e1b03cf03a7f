"""What a machine lacks is said before anything is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import ROOT, environment


@pytest.fixture
def unpacked(tmp_path) -> Path:
    """The files that `make install` needs, as a ZIP of GitHub gives them: no repository."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, target: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [shutil.which("make"), target],
        cwd=folder,
        env=environment() | {"GIT_CEILING_DIRECTORIES": str(folder.parent)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=environment(), check=True, capture_output=True)


@pytest.mark.parametrize("target", ["install", "repro", "test"])
def test_without_a_repository_the_two_ways_out_are_told_and_nothing_is_installed(unpacked, target):
    ended = make(unpacked, target, PYTHON="false")
    assert ended.returncode != 0
    assert "this folder is not a git repository" in ended.stdout
    assert "git clone" in ended.stdout
    assert "git init && git add . && git commit" in ended.stdout
    assert not (unpacked / ".venv").exists()


def test_the_way_out_without_a_clone_leads_to_an_installation(unpacked):
    git(unpacked, "init", "--quiet")
    assert "this repository has no commit" in make(unpacked, "install").stdout
    git(unpacked, "add", ".")
    git(unpacked, "commit", "--message", "As downloaded")
    pip = unpacked / ".venv/bin/pip"
    pip.parent.mkdir(parents=True)
    pip.write_text("#!/bin/sh\n")
    pip.chmod(0o755)
    ended = make(unpacked, "install", PYTHON="true")
    assert ended.returncode == 0, ended.stdout
    assert (unpacked / ".venv/installed").exists()


def test_another_python_is_told_before_it_makes_an_environment(unpacked):
    git(unpacked, "init", "--quiet")
    git(unpacked, "commit", "--allow-empty", "--message", "x")
    assert "false is not Python 3.11 to 3.13" in make(unpacked, "install", PYTHON="false").stdout
    assert not (unpacked / ".venv").exists()


def test_a_machine_without_git_is_told(unpacked):
    programs = unpacked / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to(shutil.which("sh"))
    ended = make(unpacked, "install", PATH=os.fspath(programs))
    assert "error: git is not installed" in ended.stdout
    assert not (unpacked / ".venv").exists()
