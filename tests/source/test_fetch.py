"""The archive arrives whole and verified, however the connection behaves, or not at all."""

import os

import pytest

from stages.runtime import files as outputs
from stages.runtime.errors import StageError
from stages.source import fetch as fetch_module
from stages.source import partial as partial_module
from stages.source import placing, resumable
from stages.source.fetch import fetch_dataset
from tests.source.server import CONTENT, Server, md5

OTHER = b"\x1f\x8b" + os.urandom(250_000)
CHUNK = 10_000


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(resumable, "BACKOFF_SECONDS", 0.0)
    for module in (partial_module, resumable, placing):
        monkeypatch.setattr(module, "CHUNK", CHUNK)
    return tmp_path


def left(project) -> list[str]:
    """Files under the project's folder, but for the locks, which are empty."""
    return sorted(
        str(file.relative_to(project)) for file in project.rglob("*") if file.is_file() and file.suffix != ".lock"
    )


def test_downloads_verifies_and_leaves_nothing_else(server, project):
    assert fetch_dataset([server.url], md5(CONTENT), "data/raw") == md5(CONTENT)
    assert (project / "data/raw/food-101.tar.gz").read_bytes() == CONTENT
    assert left(project) == ["data/raw/food-101.tar.gz"]


def test_goes_on_after_a_dropped_connection(server):
    server.faults = [100_000, 50_000]
    fetch_dataset([server.url], md5(CONTENT), "data/raw")
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in server.asked()[1:]]
    assert server.asked()[0] is None and len(starts) == 2
    assert 100_000 - CHUNK <= starts[0] <= 100_000 and starts[0] < starts[1]
    assert {headers["If-Range"] for headers in server.requests[1:]} == {'"one"'}


def test_another_process_goes_on_where_the_first_stopped(server, project):
    server.faults = [200_000] + [(503, b"", "text/plain")] * resumable.TRIES
    with pytest.raises(StageError, match=r"503.*kept: run `dvc repro` again"):
        fetch_dataset([server.url], md5(CONTENT), "data/raw")
    assert not (project / "data/raw/food-101.tar.gz").exists()
    before = len(server.requests)
    assert fetch_dataset([server.url], md5(CONTENT), "data/raw") == md5(CONTENT)
    assert len(server.requests) == before + 1
    assert int(server.asked()[-1][6:-1]) >= 200_000 - CHUNK


def test_partial_bytes_wait_in_the_main_repository(server, project, monkeypatch):
    copy = project / "copy"
    copy.mkdir()
    monkeypatch.chdir(copy)
    server.faults = [200_000] + [(503, b"", "text/plain")] * resumable.TRIES
    with pytest.raises(StageError):
        fetch_dataset([server.url], md5(CONTENT), "data/raw")
    assert {file.split("/")[0] for file in left(project)} == {".dvc"}


@pytest.mark.parametrize("change", ["the file changed", "ranges are ignored", "no validator"])
def test_starts_over_when_the_rest_cannot_be_had(server, project, change):
    server.faults = [100_000] + [(503, b"", "text/plain")] * resumable.TRIES
    server.etag = None if change == "no validator" else '"one"'
    with pytest.raises(StageError):
        fetch_dataset([server.url], None, "data/raw")
    if change == "the file changed":
        server.content, server.etag = OTHER, '"two"'
    server.ranges = change != "ranges are ignored"
    fetch_dataset([server.url], None, "data/raw")
    assert (project / "data/raw/food-101.tar.gz").read_bytes() == server.content


def test_a_whole_partial_file_is_not_asked_for_again(server, project, monkeypatch):
    monkeypatch.setattr(fetch_module.shutil, "move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        fetch_dataset([server.url], md5(CONTENT), "data/raw")
    monkeypatch.undo()
    monkeypatch.chdir(project)
    assert fetch_dataset([server.url], md5(CONTENT), "data/raw") == md5(CONTENT)
    assert len(server.requests) == 1


@pytest.mark.parametrize("damage", ["note", "longer"])
def test_a_damaged_partial_file_does_no_harm(server, project, damage):
    server.faults = [100_000] + [(503, b"", "text/plain")] * resumable.TRIES
    with pytest.raises(StageError):
        fetch_dataset([server.url], md5(CONTENT), "data/raw")
    folder = project / ".dvc/tmp/downloads"
    if damage == "note":
        next(folder.glob("*.json")).write_text("{")
    else:
        next(folder.glob("*.part")).write_bytes(CONTENT * 2)
    server.faults = [(416, b"", "text/plain")] if damage == "longer" else []
    fetch_dataset([server.url], md5(CONTENT), "data/raw")
    assert (project / "data/raw/food-101.tar.gz").read_bytes() == CONTENT


def test_retries_server_errors_a_handful_of_times(server):
    server.faults = [(503, b"", "text/plain"), (500, b"", "text/plain"), (429, b"", "text/plain")]
    assert fetch_dataset([server.url], None, "data/raw") == md5(CONTENT)
    assert len(server.requests) == 4


def test_a_server_that_always_fails_half_way_is_given_up(server):
    server.ranges, server.faults = False, [150_000] * 50
    with pytest.raises(StageError, match=r"after 1\d\d,\d{3} of 300,002 bytes|connection failed"):
        fetch_dataset([server.url], None, "data/raw")
    assert len(server.requests) <= resumable.TRIES + 1


@pytest.mark.parametrize(
    "fault, message",
    [
        ((404, b"", "text/plain"), "404 Not Found.*data.url"),
        ((403, b"", "text/plain"), "403 Forbidden"),
        ((200, b"<html>log in</html>", "text/html; charset=utf-8"), "HTML page in place of an archive"),
        ((200, b"\n<!doctype html>", "application/octet-stream"), "an HTML page in place of"),
        ((200, b"", "application/gzip"), "sent nothing"),
        ((200, b"PK\x03\x04", "application/octet-stream"), r"PK.*in place of a gzipped archive"),
    ],
)
def test_refuses_what_is_no_archive(server, project, fault, message):
    server.faults = [fault]
    with pytest.raises(StageError, match=message):
        fetch_dataset([server.url], md5(CONTENT), "data/raw")
    assert left(project) == [] and len(server.requests) == 1


def test_wrong_md5_leaves_nothing(server, project):
    with pytest.raises(StageError, match=f"{md5(CONTENT)}.*{'0' * 32}.*removed"):
        fetch_dataset([server.url], "0" * 32, "data/raw")
    assert left(project) == []


def test_refused_connection(server):
    server.close()
    with pytest.raises(StageError, match=r"refused.*data.url"):
        fetch_dataset([server.url], None, "data/raw")


def test_full_disk_is_said_before_anything_is_written(server, project, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StageError, match="300,002 bytes needed, 1,000 free"):
        fetch_dataset([server.url], None, "data/raw")
    (project / "b.tar.gz").write_bytes(CONTENT)
    with pytest.raises(StageError, match="300,002 bytes needed, 1,000 free"):
        fetch_dataset(["b.tar.gz"], None, "data/raw")


def test_two_processes_do_not_write_one_partial_file(server, project):
    with (
        resumable.downloaded(server.url, None, project / ".dvc/tmp/downloads"),
        pytest.raises(StageError, match="another process"),
    ):
        fetch_dataset([server.url], None, "data/raw")


@pytest.mark.parametrize("form", ["relative", "absolute", "file URL", "file URL with a host"])
def test_copies_a_local_archive(project, form):
    source = project / "my archives" / "x.tar.gz"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    url = {
        "relative": "my archives/x.tar.gz",
        "absolute": str(source),
        "file URL": source.as_uri(),
        "file URL with a host": f"file://localhost{source}".replace(" ", "%20"),
    }[form]
    assert fetch_dataset([url], md5(CONTENT), "data/raw") == md5(CONTENT)
    copy = project / "data/raw/food-101.tar.gz"
    assert copy.read_bytes() == CONTENT
    assert not copy.is_symlink() and copy.stat().st_ino != source.stat().st_ino


def test_relative_path_in_a_copy_of_the_repository(project, monkeypatch):
    (project / "x.tar.gz").write_bytes(CONTENT)
    (project / "copy").mkdir()
    monkeypatch.chdir(project / "copy")
    assert fetch_dataset(["x.tar.gz"], None, "data/raw") == md5(CONTENT)


@pytest.mark.parametrize(
    "url, message",
    [
        ("x.tar.gz", "there is no .*x.tar.gz"),
        (".", "not a file"),
        ("s3://bucket/x.tar.gz", "http:, https: or file:"),
        ("file://host/x.tar.gz", "this machine"),
        ("http://", "cannot be fetched"),
    ],
)
def test_refuses_a_source_that_cannot_be_read(url, message):
    with pytest.raises(StageError, match=message):
        fetch_dataset([url], None, "data/raw")


def test_wrong_md5_of_a_local_archive(project):
    (project / "x.tar.gz").write_bytes(CONTENT)
    with pytest.raises(StageError, match=f"{md5(CONTENT)}.*{'0' * 32}"):
        fetch_dataset(["x.tar.gz"], "0" * 32, "data/raw")
    assert left(project) == ["x.tar.gz"]
