"""Names of files: which of a folder are photographs, and how any of them is printed."""

import os
from pathlib import Path

from stages.photographs.refusal import Refused

# Formats that are not read are among them: they are listed with what to do, rather than passed over.
PICTURES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".tif", ".tiff", ".webp", ".avif", ".gif", ".bmp", ".dib"),
    *(".jp2", ".j2k", ".jpx", ".jpf", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".heic", ".heif", ".hif", ".jxl", ".psd"),
    *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".x3f"),
}


def pictures_in(folder: Path) -> list[Path]:
    """The photographs of a folder by their suffixes, in the order of their names; not of the folders in it.

    Raises:
        Refused: when there are none.
        OSError: when the folder cannot be read.
    """
    paths = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".")]
    if not paths:
        raise Refused("a folder without photographs (folders in it are not looked into)")
    return sorted(path for path in paths if not path.is_dir())


def printable(path: Path) -> str:
    """A path to print: what is no character, or no UTF-8, is escaped.

    >>> printable(Path(os.fsdecode(b"caf\\xe9.jpg")))
    'caf\\\\xe9.jpg'
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def real_path(path: Path) -> str:
    """Where a path leads; unlike `Path.resolve`, for a loop of links too."""
    return os.path.realpath(path)
