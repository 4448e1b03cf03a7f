"""The archive arrives whole and verified, however the connection behaves, or not at all."""

import hashlib
import os
import re
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stages.runtime import files as outputs
from stages.runtime.errors import StageError
from stages.source import fetch as fetch_module
from stages.source import partial as partial_module
from stages.source import resumable
from stages.source.fetch import fetch_archive

CONTENT = b"\x1f\x8b" + os.urandom(300_000)
OTHER = b"\x1f\x8b" + os.urandom(250_000)
CHUNK = 10_000


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


class Server:
    """A loopback server of one file; each request uses up one of `faults`."""

    def __init__(self):
        self.content, self.etag, self.ranges = CONTENT, '"one"', True
        self.faults: list = []
        self.requests: list[dict] = []
        handler = partial(_Handler, self)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/food-101.tar.gz"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def asked(self) -> list[str | None]:
        return [headers.get("Range") for headers in self.requests]

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server, *args):
        self.state = server
        super().__init__(*args)

    def do_GET(self):
        state = self.state
        state.requests.append(dict(self.headers))
        fault = state.faults.pop(0) if state.faults else None
        if isinstance(fault, tuple):
            return self._answer(fault[0], fault[1], {"Content-Type": fault[2]})
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and state.ranges and self.headers.get("If-Range") == state.etag:
            start, size = int(asked[1]), len(state.content)
            headers = {"Content-Range": f"bytes {start}-{size - 1}/{size}"}
            return self._answer(206, state.content[start:], headers, cut=fault)
        return self._answer(200, state.content, {}, cut=fault)

    def _answer(self, code, body, headers, cut=None):
        self.send_response(code)
        for name, value in {"ETag": self.state.etag, "Content-Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body[:cut])

    def log_message(self, *args):
        pass


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
    for module in (partial_module, resumable, fetch_module):
        monkeypatch.setattr(module, "CHUNK", CHUNK)
    return tmp_path


def left(project) -> list[str]:
    """Files under the project's folder, but for the locks, which are empty."""
    return sorted(
        str(file.relative_to(project)) for file in project.rglob("*") if file.is_file() and file.suffix != ".lock"
    )


def test_downloads_verifies_and_leaves_nothing_else(server, project):
    assert fetch_archive(server.url, md5(CONTENT), "data/raw/a.tar.gz") == md5(CONTENT)
    assert (project / "data/raw/a.tar.gz").read_bytes() == CONTENT
    assert left(project) == ["data/raw/a.tar.gz"]


def test_goes_on_after_a_dropped_connection(server):
    server.faults = [100_000, 50_000]
    fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in server.asked()[1:]]
    assert server.asked()[0] is None and len(starts) == 2
    assert 100_000 - CHUNK <= starts[0] <= 100_000 and starts[0] < starts[1]
    assert {headers["If-Range"] for headers in server.requests[1:]} == {'"one"'}


def test_another_process_goes_on_where_the_first_stopped(server, project):
    server.faults = [200_000] + [(503, b"", "text/plain")] * resumable.TRIES
    with pytest.raises(StageError, match=r"503.*kept: run `dvc repro` again"):
        fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    assert not (project / "a.tar.gz").exists()
    before = len(server.requests)
    assert fetch_archive(server.url, md5(CONTENT), "a.tar.gz") == md5(CONTENT)
    assert len(server.requests) == before + 1
    assert int(server.asked()[-1][6:-1]) >= 200_000 - CHUNK


def test_partial_bytes_wait_in_the_main_repository(server, project, monkeypatch):
    copy = project / "copy"
    copy.mkdir()
    monkeypatch.chdir(copy)
    server.faults = [200_000] + [(503, b"", "text/plain")] * resumable.TRIES
    with pytest.raises(StageError):
        fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    assert {file.split("/")[0] for file in left(project)} == {".dvc"}


@pytest.mark.parametrize("change", ["the file changed", "ranges are ignored", "no validator"])
def test_starts_over_when_the_rest_cannot_be_had(server, project, change):
    server.faults = [100_000] + [(503, b"", "text/plain")] * resumable.TRIES
    server.etag = None if change == "no validator" else '"one"'
    with pytest.raises(StageError):
        fetch_archive(server.url, None, "a.tar.gz")
    if change == "the file changed":
        server.content, server.etag = OTHER, '"two"'
    server.ranges = change != "ranges are ignored"
    fetch_archive(server.url, None, "a.tar.gz")
    assert (project / "a.tar.gz").read_bytes() == server.content


def test_a_whole_partial_file_is_not_asked_for_again(server, project, monkeypatch):
    monkeypatch.setattr(fetch_module.shutil, "move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    monkeypatch.undo()
    monkeypatch.chdir(project)
    assert fetch_archive(server.url, md5(CONTENT), "a.tar.gz") == md5(CONTENT)
    assert len(server.requests) == 1


@pytest.mark.parametrize("damage", ["note", "longer"])
def test_a_damaged_partial_file_does_no_harm(server, project, damage):
    server.faults = [100_000] + [(503, b"", "text/plain")] * resumable.TRIES
    with pytest.raises(StageError):
        fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    folder = project / ".dvc/tmp/downloads"
    if damage == "note":
        next(folder.glob("*.json")).write_text("{")
    else:
        next(folder.glob("*.part")).write_bytes(CONTENT * 2)
    server.faults = [(416, b"", "text/plain")] if damage == "longer" else []
    fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    assert (project / "a.tar.gz").read_bytes() == CONTENT


def test_retries_server_errors_a_handful_of_times(server):
    server.faults = [(503, b"", "text/plain"), (500, b"", "text/plain"), (429, b"", "text/plain")]
    assert fetch_archive(server.url, None, "a.tar.gz") == md5(CONTENT)
    assert len(server.requests) == 4


def test_a_server_that_always_fails_half_way_is_given_up(server):
    server.ranges, server.faults = False, [150_000] * 50
    with pytest.raises(StageError, match=r"after 1\d\d,\d{3} of 300,002 bytes|connection failed"):
        fetch_archive(server.url, None, "a.tar.gz")
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
        fetch_archive(server.url, md5(CONTENT), "a.tar.gz")
    assert left(project) == [] and len(server.requests) == 1


def test_wrong_md5_leaves_nothing(server, project):
    with pytest.raises(StageError, match=f"{md5(CONTENT)}.*{'0' * 32}.*removed"):
        fetch_archive(server.url, "0" * 32, "a.tar.gz")
    assert left(project) == []


def test_refused_connection(server):
    server.close()
    with pytest.raises(StageError, match=r"refused.*data.url"):
        fetch_archive(server.url, None, "a.tar.gz")


def test_full_disk_is_said_before_anything_is_written(server, project, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StageError, match="300,002 bytes needed, 1,000 free"):
        fetch_archive(server.url, None, "a.tar.gz")
    (project / "b.tar.gz").write_bytes(CONTENT)
    with pytest.raises(StageError, match="300,002 bytes needed, 1,000 free"):
        fetch_archive("b.tar.gz", None, "a.tar.gz")


def test_two_processes_do_not_write_one_partial_file(server, project):
    with (
        resumable.downloaded(server.url, None, project / ".dvc/tmp/downloads"),
        pytest.raises(StageError, match="another process"),
    ):
        fetch_archive(server.url, None, "a.tar.gz")


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
    assert fetch_archive(url, md5(CONTENT), "data/raw/a.tar.gz") == md5(CONTENT)
    copy = project / "data/raw/a.tar.gz"
    assert copy.read_bytes() == CONTENT
    assert not copy.is_symlink() and copy.stat().st_ino != source.stat().st_ino


def test_relative_path_in_a_copy_of_the_repository(project, monkeypatch):
    (project / "x.tar.gz").write_bytes(CONTENT)
    (project / "copy").mkdir()
    monkeypatch.chdir(project / "copy")
    assert fetch_archive("x.tar.gz", None, "a.tar.gz") == md5(CONTENT)


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
        fetch_archive(url, None, "a.tar.gz")


def test_wrong_md5_of_a_local_archive(project):
    (project / "x.tar.gz").write_bytes(CONTENT)
    with pytest.raises(StageError, match=f"{md5(CONTENT)}.*{'0' * 32}"):
        fetch_archive("x.tar.gz", "0" * 32, "data/a.tar.gz")
    assert left(project) == ["x.tar.gz"]
