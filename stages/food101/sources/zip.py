"""A .zip in the archive's layout, as Kaggle gives it out, and what a folder is packed into.

Read where it lies: the lists cost no pass over the photographs, and a check sum is compared for each file.
"""

import errno
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.food101 import layout
from stages.runtime.errors import StageError

NAME = "food-101.zip"
MAGIC = b"PK\x03\x04"
# The others are unpacked without a limit by zipfile, or (Deflate64, which Windows uses above 2 GB) not at all.
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 1  # bit of a member's flags
LOCAL_HEADER = 30  # bytes before a member's name
# What zipfile raises of an archive that contradicts itself.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError, ValueError),
    *(OverflowError, OSError),
)


def read_lists(path: Path) -> dict[str, bytes]:
    """Contents of the lists in meta/."""
    contents = {}
    with _opened(path) as archive:
        for member, place in _files(archive, layout.meta_name):
            contents[layout.meta_name(place)] = _content(path, archive, member, place)
            if len(contents) == len(layout.META_FILES):
                break
    return contents


def iterate_photographs(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield ("class/id", member name, bytes) in the order in which they lie in the archive."""
    with _opened(path) as archive:
        for member, place in _files(archive, layout.image_name):
            yield layout.image_name(place), place, _content(path, archive, member, place)


def _files(archive: zipfile.ZipFile, name: Callable) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """The regular files that `name` knows, with their paths: some programs of Windows write backslashes.

    Members that share bytes are refused: ten megabytes of them would unpack to terabytes (CVE-2024-0450).
    """
    end = 0
    for member in sorted(archive.infolist(), key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise zipfile.BadZipFile(f"{member.filename} overlaps the member before it")
        end = member.header_offset + LOCAL_HEADER + member.compress_size
        place = member.filename.replace("\\", "/")
        kind = stat.S_IFMT(member.external_attr >> 16)  # 0 where the archive was not made on Unix
        if kind in (0, stat.S_IFREG) and name(place):
            yield member, place


def _content(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: str) -> bytes:
    layout.check_size(path, place, member.file_size)
    if member.flag_bits & ENCRYPTED:
        raise StageError(f"{path}: {place} is encrypted. Unpack it with its password, and set data.url to the folder.")
    if member.compress_type not in READABLE:
        method = zipfile.compressor_names.get(member.compress_type, member.compress_type)
        raise StageError(
            f"{path}: {place} is compressed by {method}; accepted: deflate, or none. Unpack it, and set data.url to "
            f"the folder."
        )
    return archive.read(member)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: a place before the file's beginning
            raise
        raise StageError(
            f"{path} is not a whole .zip archive: {error or type(error).__name__}. Remove it and run "
            "`dvc repro download`, or correct data.url."
        ) from None
