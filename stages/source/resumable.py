"""A download over HTTP that goes on where it stopped (RFC 9110, sections 13.1.5 and 14).

The bytes gather in a partial file, with a note beside it of what identifies the file at the server. The
next request asks for the rest *if* the server still has that very file (Range, If-Range); a server that
has another, or that ignores ranges, sends the whole and the download starts over.
"""

import fcntl
import hashlib
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import urllib3
from tqdm import tqdm

from stages.runtime.errors import StageError
from stages.runtime.files import require_space
from stages.source.partial import CHUNK, Partial

TRIES = 5  # in a row without a new byte
BACKOFF_SECONDS = 0.5  # doubled from try to try
TIMEOUT_SECONDS = (10, 60)  # to connect, between two reads
GZIP_MAGIC = b"\x1f\x8b"


class _Transient(Exception):
    """Worth another try."""


@contextmanager
def downloaded(url: str, md5: str | None, folder: Path) -> Iterator[Partial]:
    """Yield the whole download as a partial file in `folder`; the block moves or discards it.

    Raises:
        StageError: when the server cannot be reached, refuses, sends a page or a wrong number of bytes;
            when the disk is too small; when another process is at the same download.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(f"{url} {md5}".encode()).hexdigest()[:32]
    with (folder / f"{key}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StageError(f"another process is downloading {url}: run this again after it") from None
        partial = Partial(folder / f"{key}.part")
        if partial.total is None or partial.size != partial.total:
            _complete(url, partial)
        yield partial


def _complete(url: str, partial: Partial) -> None:
    failures, farthest = 0, partial.size
    while True:
        try:
            return _receive(url, partial)
        except _Transient as transient:
            # Only bytes beyond all earlier tries count: a server that always fails half-way is given up.
            failures = 0 if partial.size > farthest else failures + 1
            farthest = max(farthest, partial.size)
            if failures == TRIES:
                raise StageError(
                    f"{url} could not be downloaded: {transient}; {TRIES} tries brought nothing. "
                    f"{partial.size:,} bytes are kept: run `dvc repro` again to go on, or set data.url to "
                    "a copy of the archive."
                ) from None
            wait = BACKOFF_SECONDS * 2**failures
            print(f"{transient}; next try in {wait:g} s", file=sys.stderr)
            time.sleep(wait)


def _receive(url: str, partial: Partial) -> None:
    """One request, to the last byte or a _Transient; what arrived is kept."""
    # identity: the archive's own bytes are what is counted and hashed, not a server's compression of them.
    headers = {"Accept-Encoding": "identity"}
    if partial.size and partial.validator:
        headers |= {"Range": f"bytes={partial.size}-", "If-Range": partial.validator}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            _check_status(url, response, partial)
            if response.status_code == 206:
                _check_range(response, partial)
            else:
                partial.restart(_validator(response), _content_length(response))
            if partial.total is not None:
                require_space(partial.path.parent, partial.total - partial.size)
            partial.extend(_chunks(url, response, partial))
    except requests.exceptions.SSLError as error:
        raise StageError(f"{url}: no secure connection ({error}). Check data.url and the clock.") from None
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise _Transient(f"the connection failed ({_reason(error)})") from None
    except requests.RequestException as error:
        raise StageError(f"data.url {url} cannot be fetched: {error}") from None
    size, total = partial.size, partial.total
    if size == 0:
        partial.discard()
        raise StageError(f"{url} sent nothing. Check data.url.")
    if total in (None, size):
        return
    if size < total:
        raise _Transient(f"the connection ended after {size:,} of {total:,} bytes")
    partial.discard()
    raise StageError(f"{url} sent {size:,} bytes, and had announced {total:,}: removed. Run this again.")


def _chunks(url: str, response: requests.Response, partial: Partial) -> Iterator[bytes]:
    bar = tqdm(desc="download", initial=partial.size, total=partial.total, unit="B", unit_scale=True, disable=None)
    with bar:
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            if partial.size == 0 and not chunk.startswith(GZIP_MAGIC):
                partial.discard()
                what = "an HTML page" if chunk.lstrip().startswith(b"<") else f"{chunk[:16]!r}..."
                raise StageError(f"{url} sent {what} in place of a gzipped archive. Check data.url.")
            yield chunk
            bar.update(len(chunk))


def _check_status(url: str, response: requests.Response, partial: Partial) -> None:
    code, reason = response.status_code, response.reason
    if code == 416:
        partial.discard()
        raise _Transient("the server has no bytes beyond those that are here: starting over")
    if code >= 500 or code in (408, 429):
        raise _Transient(f"the server answered {code} {reason}")
    if code not in (200, 206):
        raise StageError(f"{url} answered {code} {reason}. Check data.url, or set it to a copy.")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise StageError(f"{url} is an HTML page in place of an archive. Check data.url.")


def _check_range(response: requests.Response, partial: Partial) -> None:
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if not found or (int(found[1]), int(found[2])) != (partial.size, partial.total):
        partial.discard()
        raise _Transient("the server sent another part than was asked for: starting over")


def _validator(response: requests.Response) -> str | None:
    """What If-Range accepts: a strong entity tag, or the date of the last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _content_length(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _reason(error: Exception) -> str:
    """The innermost cause: requests and urllib3 wrap it three deep."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__
