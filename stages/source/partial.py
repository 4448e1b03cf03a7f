"""A file that is still arriving, on disk, with what is needed to go on with it in another process."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20


class Partial:
    """The bytes that are there, and what the server said of the file that they are the beginning of.

    size, digest: of the bytes that are there. total: size of the whole file, None if the server did not
    say. validator: the server's name for the file's present state (ETag or Last-Modified), None likewise.
    urls: where the bytes came from, the last one still open.
    """

    def __init__(self, path: Path):
        self.path, self._note = path, path.with_suffix(".json")
        self._forget()
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    self._count(chunk)
            self.urls, self.validator, self.total = list(note["urls"]), note["validator"], note["total"]
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            self._forget()

    def restart(self, url: str, validator: str | None, total: int | None) -> None:
        """Begin another file. Emptied before the note is written: a note never describes other bytes."""
        self._forget()
        self.path.write_bytes(b"")
        self.total = total
        self.take_from(url, validator)

    def take_from(self, url: str, validator: str | None) -> None:
        """Note where what comes next comes from."""
        self.urls, self.validator = [*(each for each in self.urls if each != url), url], validator
        note = {"urls": self.urls, "validator": validator, "total": self.total}
        self._note.write_text(json.dumps(note), encoding="utf-8")

    def extend(self, chunks: Iterator[bytes]) -> None:
        """Append what comes, until `chunks` ends or raises; what came before stays."""
        with self.path.open("ab") as file:
            for chunk in chunks:
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    raise OSError(error.errno, error.strerror, str(self.path)) from None
                self._count(chunk)

    def discard(self) -> None:
        """Leave nothing behind."""
        self._forget()
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _count(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        self.size += len(chunk)

    def _forget(self) -> None:
        self.size, self.digest = 0, hashlib.md5(usedforsecurity=False)
        self.urls: list[str] = []
        self.validator: str | None = None
        self.total: int | None = None
