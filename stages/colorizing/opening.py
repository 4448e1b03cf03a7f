"""Photographs that a person names: of any size, as far as memory goes."""

import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from stages.colorizing.bands import Bands, Spooled
from stages.colorizing.memory import SPOOLED_PIXELS, require_memory
from stages.photographs.photograph import decode
from stages.photographs.refusal import Refused


@contextmanager
def open_any_size(
    path: Path, folder: Path, admit: Callable[[Image.Image], None], tell: Callable[[str], None]
) -> Iterator[Bands]:
    """Decode a photograph; of a large one, let its pixels wait in a nameless file.

    Args:
        path: of a regular file.
        folder: where pixels wait.
        admit: is given the opened image before its pixels are decoded; it may raise ValueError.
        tell: is given a line for what had to be assumed.

    Raises:
        ValueError: when it cannot be decoded, or not in the memory that is free; the message is the reason.
        OSError: when it cannot be read.
    """

    def prepare(image: Image.Image) -> None:
        admit(image)
        require_memory(image, tell)

    if not stat.S_ISREG(path.stat().st_mode):
        raise Refused("not a file, but a device or a pipe")
    with _no_limit_of_pixels(), path.open("rb") as file:
        photograph = decode(file, tell, prepare)
        width, height = photograph.size
        if width * height < SPOOLED_PIXELS:
            yield photograph
            return
        with tempfile.TemporaryFile(dir=folder) as spool:
            bands = Spooled(photograph, spool)
            del photograph  # its pixels make room for the painted ones
            yield bands


@contextmanager
def _no_limit_of_pixels() -> Iterator[None]:
    """Without Pillow's guard against small files of many pixels; archives keep it."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
