"""Copies of the archive are tried in order: the first whole one is taken, and what the others had is told."""

import os

import pytest

from stages.runtime import files as outputs
from stages.runtime.errors import StageError
from stages.source import partial, placing, resumable
from stages.source.fetch import fetch_dataset
from tests.source.server import CONTENT, Server, md5

CHUNK = 10_000
GONE = ((503, b"", "text/plain"),) * resumable.TRIES
PAGE = (200, b"\n<!doctype html>", "application/octet-stream")
MD5 = md5(CONTENT)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(resumable, "BACKOFF_SECONDS", 0.0)
    for module in (partial, resumable, placing):
        monkeypatch.setattr(module, "CHUNK", CHUNK)
    return tmp_path


@pytest.fixture
def servers():
    servers = [Server(), Server(), Server()]
    yield servers
    for server in servers:
        server.close()


def fetch(servers, expected=MD5):
    return fetch_dataset([server.url for server in servers], expected, "data/raw")


def whole(project) -> bool:
    return (project / "data/raw/food-101.tar.gz").read_bytes() == CONTENT


def left(project) -> list[str]:
    return sorted(file.name for file in project.rglob("*") if file.is_file() and file.suffix != ".lock")


def test_the_first_that_has_it_is_enough(servers, project):
    assert fetch(servers) == MD5 and whole(project)
    assert [len(server.requests) for server in servers] == [1, 0, 0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [((404, b"", "text/plain"), "404 Not Found"), (PAGE, "an HTML page"), ((200, b"", "a/b"), "sent nothing")],
    ids=["404", "a page", "nothing"],
)
def test_one_that_has_not_is_told_and_the_next_is_tried(servers, project, capsys, fault, words):
    servers[0].faults = [fault]
    assert fetch(servers) == MD5 and whole(project) and left(project) == ["food-101.tar.gz"]
    told = capsys.readouterr().err
    assert words in told and f"Next: {servers[1].url}" in told


def test_one_that_has_another_archive_is_passed_over(servers, project):
    servers[0].content = b"\x1f\x8b" + os.urandom(1000)
    assert fetch(servers) == MD5 and whole(project)


def test_bytes_that_came_are_gone_on_with_elsewhere(servers, project):
    servers[0].faults = [200_000, *GONE]
    servers[1].etag = '"another server\'s tag"'
    assert fetch(servers) == MD5 and whole(project) and left(project) == ["food-101.tar.gz"]
    assert int(servers[1].asked()[0][6:-1]) >= 200_000 - CHUNK


def test_another_run_goes_on_from_there_too(servers, project):
    servers[0].faults = [200_000, *GONE]
    servers[1].faults = [*GONE]
    with pytest.raises(StageError, match="all 2 of them"):
        fetch(servers[:2])
    assert fetch(servers[1:]) == MD5 and whole(project)
    assert int(servers[1].asked()[-1][6:-1]) >= 200_000 - CHUNK


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_halves_of_two_archives_are_no_archive(servers, project, ranges):
    """The first bytes were of another file, of the same size: all of it comes from the second server."""
    servers[0].content = b"\x1f\x8b" + os.urandom(len(CONTENT) - 2)
    servers[0].faults, servers[1].ranges = [200_000, *GONE], ranges
    assert fetch(servers[:2]) == MD5 and whole(project) and left(project) == ["food-101.tar.gz"]


def test_another_size_starts_over(servers, project):
    servers[0].content = b"\x1f\x8b" + os.urandom(len(CONTENT) + 50_000)
    servers[0].faults = [200_000, *GONE]
    assert fetch(servers[:2]) == MD5 and whole(project)


def test_a_page_does_not_cost_the_bytes_that_came(servers, project):
    servers[0].faults = [200_000, *GONE]
    servers[1].faults = [PAGE]
    assert fetch(servers) == MD5 and whole(project)
    assert int(servers[2].asked()[0][6:-1]) >= 200_000 - CHUNK


def test_what_failed_where_is_told(servers, project):
    servers[0].faults = [(404, b"", "text/plain")]
    servers[1].faults = [PAGE]
    servers[2].content = b"\x1f\x8b"
    with pytest.raises(StageError) as refusal:
        fetch(servers)
    lines = str(refusal.value).splitlines()
    assert lines[0] == "data.url and data.mirrors failed, all 3 of them:"
    for line, server, words in zip(lines[1:], servers, ["404", "HTML page", "has the MD5"], strict=True):
        assert server.url in line and words in line
    assert left(project) == []


def test_a_mirror_may_be_a_path(servers, project):
    servers[0].faults = [(404, b"", "text/plain")]
    (project / "copy.tar.gz").write_bytes(CONTENT)
    assert fetch_dataset([servers[0].url, "missing.tar.gz", "copy.tar.gz"], MD5, "data/raw") == MD5
    assert whole(project)


def test_a_full_disk_is_no_reason_to_ask_another(servers, monkeypatch):
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(StageError, match="300,002 bytes needed, 1,000 free"):
        fetch(servers)
    assert not servers[1].requests
