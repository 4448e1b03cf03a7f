"""A download over HTTP that goes on where it stopped (RFC 9110, sections 13.1.5 and 14).

The bytes gather in a partial file, with a note beside it of what identifies the file at the server. The
next request asks for the rest *if* the server still has that very file (Range, If-Range); a server that
has another, or that ignores ranges, sends the whole and the download starts over. Where the MD5 of the whole is
known, another server may send the rest: if its file has the same size, and the MD5 decides in the end.
"""

import fcntl
import hashlib
import itertools
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from stages.food101.sources import tar, zip
from stages.runtime.errors import StageError
from stages.runtime.files import require_space
from stages.source.errors import SourceError
from stages.source.local import archive_name
from stages.source.partial import CHUNK, Partial

TRIES = 5  # in a row without a new byte
BACKOFF_SECONDS = 0.5  # doubled from try to try
TIMEOUT_SECONDS = (10, 60)  # to connect, between two reads
KINDS = {".gz": tar.NAME, ".tgz": tar.NAME, ".zip": zip.NAME}  # what a URL's name says, if it says anything


class _Transient(Exception):
    """Worth another try."""


@contextmanager
def downloaded(url: str, md5: str | None, folder: Path) -> Iterator[Partial]:
    """Yield the whole download as a partial file in `folder`; the block moves or discards it.

    With `md5`, bytes of the same archive that came from elsewhere are gone on with.

    Raises:
        SourceError: when the server cannot be reached, refuses, sends a page or a wrong number of bytes.
        StageError: when the disk is too small; when another process is at the same download.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256((md5 or url).encode()).hexdigest()[:32]
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
                raise SourceError(
                    f"{url} could not be downloaded: {transient}; {TRIES} tries brought nothing. "
                    f"{partial.size:,} bytes are kept: run `dvc repro` again to go on, or list copies of the archive "
                    "in data.mirrors, or correct data.url."
                ) from None
            wait = BACKOFF_SECONDS * 2**failures
            print(f"{transient}; next try in {wait:g} s", file=sys.stderr)
            time.sleep(wait)


def _receive(url: str, partial: Partial) -> None:
    """One request, to the last byte or a _Transient; what arrived is kept."""
    # identity: the archive's own bytes are what is counted and hashed, not a server's compression of them.
    headers = {"Accept-Encoding": "identity"}
    elsewhere = partial.size > 0 and partial.total is not None and url not in partial.urls[-1:]
    if elsewhere:
        headers |= {"Range": f"bytes={partial.size}-"}
    elif partial.size and partial.validator:
        headers |= {"Range": f"bytes={partial.size}-", "If-Range": partial.validator}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            _check_status(url, response, partial)
            chunks = response.raw.stream(CHUNK, decode_content=False)
            if response.status_code == 206:
                _check_range(response, partial)
                if elsewhere:
                    partial.take_from(url, _validator(response))
            else:
                # Only an archive may take the place of the bytes that are here: a portal's page may not.
                chunks = _checked(url, chunks)
                partial.restart(url, _validator(response), _content_length(response))
            if partial.total is not None:
                require_space(partial.path.parent, partial.total - partial.size)
            partial.extend(_with_progress(chunks, partial))
    except requests.exceptions.SSLError as error:
        raise SourceError(f"{url}: no secure connection ({error}). Check data.url and the clock.") from None
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise _Transient(f"the connection failed ({_reason(error)})") from None
    except requests.RequestException as error:
        raise SourceError(f"data.url {url} cannot be fetched: {error}") from None
    size, total = partial.size, partial.total
    if total in (None, size):
        return
    if size < total:
        raise _Transient(f"the connection ended after {size:,} of {total:,} bytes")
    partial.discard()
    raise SourceError(f"{url} sent {size:,} bytes, and had announced {total:,}: removed. Run this again.")


def _checked(url: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, if they begin as an archive does, of the kind that the URL names where it names one."""
    first = next(chunks, b"")
    if not first:
        raise SourceError(f"{url} sent nothing. Check data.url.")
    named = KINDS.get(PurePosixPath(urlsplit(url).path).suffix.lower())
    kind = archive_name(first)
    if kind is None or kind != (named or kind):
        what = "an HTML page" if first.lstrip().startswith(b"<") else f"{first[:16]!r}..."
        wanted = ".zip" if named == zip.NAME else "gzipped"
        raise SourceError(f"{url} sent {what} in place of a {wanted} archive. Check data.url.")
    return itertools.chain([first], chunks)


def _with_progress(chunks: Iterator[bytes], partial: Partial) -> Iterator[bytes]:
    with tqdm(
        desc="download", initial=partial.size, total=partial.total, unit="B", unit_scale=True, disable=None
    ) as bar:
        for chunk in chunks:
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
        raise SourceError(f"{url} answered {code} {reason}. Check data.url, or set it to a copy.")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise SourceError(f"{url} is an HTML page in place of an archive. Check data.url.")


def _check_range(response: requests.Response, partial: Partial) -> None:
    content_range = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if not content_range or (int(content_range[1]), int(content_range[2])) != (partial.size, partial.total):
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
