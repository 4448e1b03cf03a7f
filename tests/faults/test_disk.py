"""A disk that is full or read-only: the path, what was needed and what is free are told; nothing is half-written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stages.formats.npy import memory_mapped
from stages.runtime.errors import StageError
from stages.runtime.files import whole_file, whole_folder
from tests.project import Project, environment

MOUNTABLE = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
needs_mount = pytest.mark.skipif(not MOUNTABLE, reason="mounting a disk of its own needs root")


@pytest.fixture
def disk(tmp_path):
    """A disk of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave not a byte free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        block = bytes(1 << 20)
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]
    return ballast


@needs_mount
def test_the_tools_that_all_stages_write_with(disk):
    """A file, a folder, an array: a page of an array that the disk refuses later would kill the process by SIGBUS."""
    (disk / "old").write_text("old")
    fill(disk)
    words = r"old does not fit on its disk: it needs more than the [\d,]+ bytes"
    with pytest.raises(StageError, match=words), whole_file(disk / "old") as part:
        part.write_bytes(b"n" * 10_000)
    with pytest.raises(StageError, match=r"does not fit on its disk"), whole_folder(disk / "folder") as part:
        (part / "a").write_bytes(b"n" * 10_000)
    with (
        pytest.raises(StageError, match=r"8,000,000 bytes needed, [\d,]+ free"),
        memory_mapped(disk / "a.npy", (1000, 2000), "float32"),
    ):
        pytest.fail("there is no room for it")
    assert (disk / "old").read_text() == "old"
    assert sorted(path.name for path in disk.iterdir()) == ["ballast", "old"]


@needs_mount
def test_an_array_finds_its_room_before_it_is_filled(disk, monkeypatch):
    """Where `free` and what can be had differ, as with a quota."""
    fill(disk)
    monkeypatch.setattr("stages.formats.npy.require_space", lambda *_: None)
    with pytest.raises(StageError, match="does not fit"), memory_mapped(disk / "a.npy", (1000, 2000), "float32"):
        pytest.fail("there is no room for it")
    assert not (disk / "a.npy").exists()


def commands(project: Project) -> dict[str, list[str]]:
    """What each stage of the sample runs, in the order of the pipeline."""
    order = project.run("dvc", "stage", "list", "--name-only").stdout.split()
    lock = project.lock()
    return {name: [sys.executable, *lock[name]["cmd"].split()[1:]] for name in order if name in lock}


def written(project: Project) -> dict[Path, bytes]:
    """All that the stages have written, but for the series of trainings, which grow in their place."""
    files = (path for folder in ("data", "metrics") for path in (project.path / folder).rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if "training" not in path.parts}


def run_all(project: Project, words: list[str]) -> None:
    """Each stage is refused for the disk's sake, and leaves nothing; its outputs come back from DVC."""
    for stage, command in commands(project).items():
        ended = subprocess.run(command, cwd=project.path, env=environment(), capture_output=True, text=True)
        assert ended.returncode == 1, (stage, ended.stdout, ended.stderr)
        assert ended.stderr.splitlines()[-1].startswith("error: "), (stage, ended.stderr)
        assert any(word in ended.stderr for word in words), (stage, ended.stderr)
        if not stage.startswith("train_") or "probes" in stage:  # DVCLive's series are written without a word of where
            assert re.search(r"error: .*(data|metrics|\.dvc)/", ended.stderr), (stage, ended.stderr)
        assert "Traceback" not in ended.stderr, (stage, ended.stderr)
        assert not list(project.path.rglob("*.part")), stage


@needs_mount
@pytest.mark.slow
def test_every_stage_on_a_full_disk_and_the_next_repro(finished, disk):
    project = finished.copy(disk / "project")
    lock = project.lock()
    before = written(project)
    ballast = fill(disk)
    run_all(project, ["does not fit on its disk", "No space left on device", "is too small"])
    assert written(project) == before
    ballast.unlink()
    project.run("dvc", "repro", "--force", "--no-run-cache")
    assert project.lock() == lock


@needs_mount
@pytest.mark.slow
def test_every_stage_in_a_folder_that_is_read_only_and_the_next_repro(finished, disk):
    project = finished.copy(disk / "project")
    lock = project.lock()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    run_all(project, ["Read-only file system"])
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    project.run("dvc", "repro", "--force", "--no-run-cache")
    assert project.lock() == lock
