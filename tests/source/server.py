"""A loopback server of one file, with faults."""

import hashlib
import os
import re
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = b"\x1f\x8b" + os.urandom(300_000)


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
