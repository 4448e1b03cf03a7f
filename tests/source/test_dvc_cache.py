"""The archive is found wherever `dvc cache dir` points."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.config import Config

from stages.runtime.errors import StageError
from stages.source import dvc_cache
from stages.source.fetch import fetch_dataset

CONTENT = b"\x1f\x8b" + bytes(range(256)) * 40
MD5 = hashlib.md5(CONTENT).hexdigest()
NOWHERE = "http://127.0.0.1:9/food-101.tar.gz"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A DVC project, with a user's and a machine's configuration of its own."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("DVC_ROOT", str(root))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "user"))
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(tmp_path / "machine"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("stages.source.resumable.BACKOFF_SECONDS", 0)
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    return root


def configure(level: str, **values: str) -> None:
    with Config(".dvc").edit(level) as config:
        config["cache"] |= values


def dvc(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "files/md5" / MD5[:2] / MD5[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o444)
    return path


@pytest.mark.parametrize("level", ["repo", "local", "global", "system"])
def test_the_folder_is_what_dvc_says_it_is(project, tmp_path, level):
    configure(level, dir=str(tmp_path / "elsewhere"))
    assert str(dvc_cache.cache_folder()) == dvc("cache", "dir") == str(tmp_path / "elsewhere")
    put(tmp_path / "elsewhere")
    assert fetch_dataset([NOWHERE], MD5, "data/raw") == MD5
    assert Path("data/raw/food-101.tar.gz").read_bytes() == CONTENT


def test_a_relative_one_is_relative_to_the_configuration(project, tmp_path):
    (project / ".dvc/config.local").write_text("[cache]\n    dir = ../../elsewhere\n")
    assert str(dvc_cache.cache_folder()) == dvc("cache", "dir") == str(tmp_path / "elsewhere")


def test_the_local_configuration_goes_before_the_repositorys(project, tmp_path):
    configure("repo", dir=str(tmp_path / "shared"))
    configure("local", dir=str(tmp_path / "mine"))
    assert dvc_cache.cache_folder() == tmp_path / "mine"


def test_without_a_configuration_it_is_dvcs_default(project):
    put(project / ".dvc/cache")
    assert str(dvc_cache.cache_folder()) == dvc("cache", "dir")
    assert fetch_dataset([NOWHERE], MD5, "data/raw") == MD5


def test_a_copy_of_the_repository_asks_the_main_one(project, tmp_path, monkeypatch):
    """`dvc exp run --temp` works in a copy, whose `DVC_ROOT` is the main repository."""
    configure("local", dir=str(tmp_path / "elsewhere"))
    put(tmp_path / "elsewhere")
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path / "copy")
    assert fetch_dataset([NOWHERE], MD5, "data/raw") == MD5


def test_what_is_cached_is_linked_as_dvc_would_link_it(project):
    cached = put(project / ".dvc/cache")
    configure("repo", type="hardlink")
    fetch_dataset([NOWHERE], MD5, "data/raw")
    assert Path("data/raw/food-101.tar.gz").samefile(cached)
    configure("repo", type="copy")
    fetch_dataset([NOWHERE], MD5, "data/raw")
    assert not Path("data/raw/food-101.tar.gz").samefile(cached)


@pytest.mark.parametrize("damage", ["changed", "another kind"])
def test_a_damaged_one_is_not_used(project, damage, capsys):
    cached = put(project / ".dvc/cache", CONTENT[:-1] if damage == "changed" else b"<html>")
    before = cached.read_bytes()
    with pytest.raises(StageError, match="refused"):
        fetch_dataset([NOWHERE], MD5, "data/raw")
    assert "is damaged and not used: downloading" in capsys.readouterr().out
    assert cached.read_bytes() == before and not Path("data/raw").exists()


def test_a_broken_configuration_or_none_is_dvcs_to_refuse(project, monkeypatch, tmp_path):
    (project / ".dvc/config").write_text("[cache\n")
    assert dvc_cache.cache_folder() == project / ".dvc/cache"
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert dvc_cache.cached_file(MD5) is None


def test_dvc_itself_finds_what_a_stage_was_given(project):
    """The output that is linked to the cache is one that DVC takes: nothing is copied, nothing is lost."""
    cached = put(project / ".dvc/cache")
    configure("repo", type="hardlink")
    fetch_dataset([NOWHERE], MD5, "data/raw")
    dvc("add", "--quiet", "data/raw")
    assert cached.read_bytes() == CONTENT and os.stat(cached).st_nlink >= 2
    assert dvc("status") == "Data and pipelines are up to date."
