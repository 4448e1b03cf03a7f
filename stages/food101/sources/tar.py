"""A gzipped tar archive, as the authors publish it: read in one pass, never unpacked into files."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.food101 import layout
from stages.runtime.errors import StageError

NAME = "food-101.tar.gz"
MAGIC = b"\x1f\x8b"
LARGEST_HEADER = 1 << 20
READ_WHOLE = (  # by tarfile: PAX records and long names
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


def read_lists(path: Path) -> dict[str, bytes]:
    """Contents of the lists in meta/; reads no further than the last of them."""
    contents = {}
    with _streamed(path) as archive:
        for member in archive:
            name = layout.meta_name(member.name)
            if member.isreg() and name:
                contents[name] = _content(path, archive, member)
            if len(contents) == len(layout.META_FILES):
                break
            del archive.members[:-1]  # tarfile keeps every header it has passed
    return contents


def iterate_photographs(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield ("class/id", member name, bytes) in the archive's order."""
    with _streamed(path) as archive:
        for member in archive:
            image = layout.image_name(member.name)
            if member.isreg() and image:
                yield image, member.name, _content(path, archive, member)
            del archive.members[:-1]


class _Header(tarfile.TarInfo):
    """Refuses a header of any length that an archive may name, and a size below 0 (CVE-2025-8194)."""

    def _proc_member(self, archive):
        if self.size < 0:
            raise tarfile.ReadError(f"{self.name} has a size of {self.size:,} bytes")
        if self.type in READ_WHOLE and self.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes; accepted: at most {LARGEST_HEADER:,}")
        try:
            return super()._proc_member(archive)
        except (ValueError, IndexError, OverflowError) as error:  # of numbers in PAX records, which tarfile trusts
            raise tarfile.ReadError(f"a header that cannot be read ({error})") from None


def _content(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    layout.check_size(path, member.name, member.size)
    return archive.extractfile(member).read()


@contextmanager
def _streamed(path: Path) -> Iterator[tarfile.TarFile]:
    """Open the archive for one pass; report its errors as a StageError.

    `gzip` under tarfile's "r|" rather than "r|gz", which does not notice that an archive was cut between two members.
    """
    archive = None
    try:
        with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_Header) as archive:
            yield archive
    except (EOFError, tarfile.TarError, zlib.error, gzip.BadGzipFile) as error:
        after = f" after {archive.members[-1].name}" if archive is not None and archive.members else ""
        raise StageError(
            f"{path} is not a whole gzipped tar archive: {error}{after}. "
            "Remove it and run `dvc repro download`, or correct data.url."
        ) from None
