"""A network that fails in every way: the archive arrives whole in the end, or the refusal says what to do.

`tests/source/test_fetch.py` tests the parts of a download, with a server that is slow or fails; here the whole stage
meets servers that stall, reset and lie.
"""

import hashlib
import socket
import struct
import threading
from pathlib import Path

import pytest

from stages import download
from stages.runtime.errors import StageError
from stages.source import partial, resumable
from tests.project import make_project
from tests.waiting import LIMIT, wait_until

BODY = b"\x1f\x8b" + bytes(range(256)) * 800
MD5 = hashlib.md5(BODY).hexdigest()


class Server:
    """Answers each connection by the next script; the last one serves all that follow.

    The client waits for a script that never answers as long as the script says, and for any other one for ever.
    """

    def __init__(self, *scripts):
        self.scripts, self.requests = list(scripts), []
        self._set_patience()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/food-101.tar.gz"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            if not (chunk := connection.recv(65536)):
                return
            request += chunk
        headers = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if ": " in line)
        self.requests.append(headers)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self._set_patience()  # of the next request: this one has begun
        try:
            script(connection, headers)
        except OSError:
            pass
        finally:
            connection.close()

    def _set_patience(self):
        resumable.TIMEOUT_SECONDS = (LIMIT, PATIENCE.get(self.scripts[0], LIMIT))


def head(code="200 OK", length=None, **headers) -> bytes:
    lines = {
        "Content-Length": len(BODY) if length is None else length,
        "ETag": '"one"',
        "Connection": "close",
        **headers,
    }
    written = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {code}\r\n{written}\r\n".encode()


def whole(connection, headers):
    """Serves ranges, as a good server does."""
    start = int(headers["Range"][6:-1]) if "Range" in headers else 0
    if start:
        extent = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        connection.sendall(head("206 Partial Content", len(BODY) - start, Content_Range=extent) + BODY[start:])
    else:
        connection.sendall(head() + BODY)


def without_ranges(connection, headers):
    connection.sendall(head() + BODY)


def saved() -> int:
    """Bytes that the client has saved so far."""
    return sum(file.stat().st_size for file in Path(".dvc/tmp/downloads").glob("*.part"))


def send_beginning(connection):
    """50,000 bytes or more, which differ from those of an earlier try; return when the client has saved them."""
    size = max(50_000, saved() + 10_000)
    connection.sendall(head() + BODY[:size])
    wait_until(lambda: saved() == size)


def reset(connection, headers):
    """In the middle: the client sees ECONNRESET, not an end."""
    send_beginning(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stall(connection, headers):
    send_beginning(connection)
    connection.recv(1)  # until the client gives up


def silent(connection, headers):
    connection.recv(1)


# Seconds between two bytes: enough for the beginning that `stall` sends.
PATIENCE = {stall: 10, silent: 0.2}


def changed(connection, headers):
    """Another file by the time of the second request: If-Range does not match, so all of it comes."""
    connection.sendall(head(ETag='"two"') + BODY)


def status(code, body=b"", **headers):
    return lambda connection, _: connection.sendall(head(code, len(body), **headers) + body)


def garbage(connection, headers):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


PAGE = b"<!doctype html><title>Sign in to the hotel's network</title>"
portal = status("200 OK", PAGE, Content_Type="text/html; charset=utf-8")
unmarked_portal = status("200 OK", PAGE, Content_Type="application/octet-stream")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(resumable, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(resumable, "TIMEOUT_SECONDS", resumable.TIMEOUT_SECONDS)  # a server sets it: put it back
    monkeypatch.setattr(resumable, "CHUNK", 10_000)
    monkeypatch.setattr(partial, "CHUNK", 10_000)
    return project


@pytest.fixture
def fetch(project):
    """fetch(*scripts): run the stage against a server that follows them; the server."""
    servers = []

    def fetch(*scripts, md5=MD5):
        servers.append(Server(*scripts))
        project.change({"data": {"source": "food101", "url": servers[-1].url, "md5": md5}})
        download.main()
        return servers[-1]

    fetch.servers = servers
    yield fetch
    for server in servers:
        server.socket.close()


def left() -> list[Path]:
    return [path for path in (*Path("data").rglob("*"), *Path(".dvc/tmp/downloads").glob("*"))
            if path.is_file() and path.suffix != ".lock"]  # fmt: skip


@pytest.mark.parametrize(
    ("scripts", "resumed"),
    [
        ([reset, whole], True),
        ([reset, reset, reset, whole], True),
        ([stall, whole], True),
        ([silent, whole], False),
        ([status("503 Service Unavailable"), status("502 Bad Gateway"), whole], False),
        ([status("429 Too Many Requests"), whole], False),
        ([reset, without_ranges], True),
        ([reset, changed], True),
        ([garbage, whole], False),
    ],
    ids=["reset", "reset thrice", "stalled", "silent", "5xx", "429", "ignores Range", "changed", "no HTTP"],
)
def test_it_arrives_in_the_end(fetch, scripts, resumed):
    server = fetch(*scripts)
    assert Path("data/raw/food-101.tar.gz").read_bytes() == BODY
    assert left() == [Path("data/raw/food-101.tar.gz")]
    assert ("Range" in server.requests[-1]) == resumed


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (status("404 Not Found"), "404 Not Found.*data.url"),
        (status("403 Forbidden"), "403 Forbidden.*data.url"),
        (portal, "HTML page.*data.url"),
        (unmarked_portal, "HTML page.*data.url"),
        (silent, "5 tries brought nothing.*data.url"),
        (status("500 Internal Server Error"), "500 Internal Server Error; 5 tries brought nothing"),
        (garbage, "5 tries brought nothing"),
        (status("200 OK", b"PK\x03\x04" + bytes(100)), "in place of a gzipped archive"),
        (status("200 OK", b""), "sent nothing"),
    ],
    ids=["404", "403", "portal", "unmarked portal", "silent", "500", "no HTTP", "zip", "empty"],
)
def test_it_is_refused_with_what_to_do_and_nothing_is_left(fetch, script, words):
    with pytest.raises(StageError, match=words):
        fetch(script)
    assert not left()


def test_another_archive_is_verified_before_it_is_opened(fetch):
    with pytest.raises(StageError, match=r"has the MD5 .*; data\.md5 is 0{32}"):
        fetch(whole, md5="0" * 32)
    assert not left()


def test_what_arrived_before_the_network_went_waits_for_the_next_run(fetch):
    with pytest.raises(StageError, match=r"[\d,]+ bytes are kept: run `dvc repro` again to go on"):
        fetch(reset, status("503 Service Unavailable"))
    server = fetch.servers[-1]
    server.scripts[:] = [whole]
    download.main()
    assert Path("data/raw/food-101.tar.gz").read_bytes() == BODY
    assert int(server.requests[-1]["Range"][6:-1]) >= 40_000
