"""Puts a file where an output is to lie, without a second copy of its bytes where the file system can do without."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from stages.runtime.files import require_space
from stages.source.partial import CHUNK

FICLONE = 0x40049409  # ioctl of Linux: share the blocks of another file until one of the two is written


def place_file(origin: Path, target: Path, links: Iterable[str]) -> tuple[str, str]:
    """Link or copy `origin` to `target`, which must not exist.

    Args:
        links: which of `reflink` and `hardlink` may be tried, in this order, up to `copy`. The file is copied where
            none can be had: on another disk, or where it is another user's, which DVC could not protect.

    Returns:
        its MD5, and which of `reflink`, `hardlink` and `copy` it became.

    Raises:
        StageError: when it has to be copied and the disk is too small.
    """
    origin = origin.resolve()  # Hugging Face's cache links to the files
    made = _link(origin, target, links)
    size = origin.stat().st_size
    digest = hashlib.md5(usedforsecurity=False)
    if made == "copy":
        require_space(target.parent.parent, size)  # not target.parent, which has a name of this run only
    bar = tqdm(
        desc="copy" if made == "copy" else "verify", total=size, unit="B", unit_scale=True, disable=None, leave=False
    )
    with bar, origin.open("rb") as file, target.open("wb" if made == "copy" else "rb") as copy:
        while chunk := file.read(CHUNK):
            if made == "copy":
                copy.write(chunk)
            digest.update(chunk)
            bar.update(len(chunk))
    return digest.hexdigest(), made


def _link(origin: Path, target: Path, links: Iterable[str]) -> str:
    for link in links:
        if link == "copy":
            break
        if link in _LINKS and _LINKS[link](origin, target):
            return link
    return "copy"


def _reflink(origin: Path, target: Path) -> bool:
    try:
        with origin.open("rb") as file, target.open("wb") as clone:
            fcntl.ioctl(clone, FICLONE, file.fileno())
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in (errno.EACCES, errno.ENOENT):
            raise
        return False  # another disk, or a file system that has no such thing
    return True


def _hardlink(origin: Path, target: Path) -> bool:
    if origin.stat().st_uid != os.geteuid():
        return False
    try:
        os.link(origin, target)
    except OSError:
        return False  # another disk, too many links, or a file system without them
    return True


_LINKS = {"reflink": _reflink, "hardlink": _hardlink}
