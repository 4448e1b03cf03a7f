"""Photographs one after another: what cannot be painted is noted, the others are."""

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from stages.colorizing.bands import Bands
from stages.colorizing.capture_metadata import capture_metadata
from stages.colorizing.comparison_sheet import comparison_sheet
from stages.colorizing.destination import Destination
from stages.colorizing.names import pictures_in, printable
from stages.colorizing.opening import open_any_size
from stages.colorizing.saving import save
from stages.photographs.refusal import Refused
from stages.runtime.errors import StageError
from stages.runtime.files import is_full

MANY = 4  # from here on, a progress bar


def list_photographs(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The files named and those in the folders named, each once; and a line for each folder that gives none."""
    photographs: dict[Path, None] = {}
    problems = []
    for path in paths:
        try:
            photographs.update(dict.fromkeys(pictures_in(path) if path.is_dir() else [path]))
        except (Refused, OSError) as error:
            problems.append(_line(path, error))
    return list(photographs), problems


def paint_photographs(
    photographs: list[Path],
    destination: Destination,
    paint: Callable[[Bands], Image.Image],
    keep_metadata: bool,
    compare: bool,
) -> list[str]:
    """Paint each and print a line for it; return a line for each that cannot be painted.

    Raises:
        StageError: when the disk is full: the others would not fit either.
    """
    problems = []
    with tqdm(photographs, unit="photograph", disable=None if len(photographs) >= MANY else True) as bar:

        def say(line: str, file) -> None:
            with bar.external_write_mode(file=file):
                print(line, file=file, flush=True)

        for photograph in bar:
            try:
                line = _paint(photograph, destination, paint, keep_metadata, compare, _notes(photograph, say))
            except (ValueError, OSError, MemoryError) as error:
                if is_full(error):
                    raise StageError("\n  ".join((f"the disk is full at {printable(photograph)}", *problems))) from None
                problems.append(_line(photograph, error))
            else:
                say(line, sys.stdout)
    return problems


def _paint(
    photograph: Path,
    destination: Destination,
    paint: Callable[[Bands], Image.Image],
    keep_metadata: bool,
    compare: bool,
    tell: Callable[[str], None],
) -> str:
    """Write what is asked for; return the line about it."""
    targets: list[tuple[Path, str]] = []
    exif = None

    def admit(opened: Image.Image) -> None:
        nonlocal targets, exif
        targets = destination.choose(photograph, opened, compare)
        if keep_metadata:
            exif = capture_metadata(opened) or exif  # a second try is without metadata

    with open_any_size(photograph, destination.folder, admit, tell) as bands:
        painted = paint(bands)
        (path, format), *compared = targets
        save(painted, path, format, exif)
        destination.made_of[path] = photograph
        for sheet, format in compared:
            save(comparison_sheet(bands, painted), sheet, format)
            destination.made_of[sheet] = photograph
    return f"{printable(photograph)} -> {printable(path)} ({painted.width} x {painted.height})"


def _notes(photograph: Path, say: Callable) -> Callable[[str], None]:
    return lambda line: say(f"note: {printable(photograph)}: {line}", sys.stderr)


def _line(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif isinstance(error, MemoryError):
        reason = "it needs more memory than there is: scale it down first"
    else:
        reason = str(error)
    return f"{printable(path)}: {reason}"
