"""A decoded photograph: its pixels as stored, handed out upright and in sRGB, part by part."""

from collections.abc import Callable
from typing import BinaryIO

from PIL import Image

from stages.photographs.bare_pixels import bare_pixels
from stages.photographs.formats import open_image
from stages.photographs.orientation import stored_box, take_orientation, turn_upright, upright_size
from stages.photographs.refusal import Refused
from stages.photographs.srgb import srgb_converter


class Photograph:
    """Pixels as a file stores them; converted where they are asked for, so that a large photograph is held once.

    Args:
        image: opened; decoded here.
        tell: is given a line for what had to be assumed.

    Raises:
        ValueError: for greys whose black and white cannot be known.
    """

    def __init__(self, image: Image.Image, tell: Callable[[str], None]):
        self._orientation = take_orientation(image)
        image.load()
        self._stored = image
        self._to_srgb = srgb_converter(image, tell)
        self.size: tuple[int, int] = upright_size(image.size, self._orientation)

    def rgb(self, box: tuple[int, int, int, int] | None = None) -> Image.Image:
        """Opaque RGB in sRGB, upright: all of it, or the box (left, top, right, bottom)."""
        part = self._stored
        if box:
            part = part.crop(stored_box(box, part.size, self._orientation))
        return turn_upright(self._to_srgb(part), self._orientation)


def decode(
    file: BinaryIO,
    tell: Callable[[str], None],
    prepare: Callable[[Image.Image], None] = lambda image: None,
) -> Photograph:
    """Open and decode a photograph's file; where its metadata are broken, without them.

    Args:
        file: seekable.
        tell: is given a line for what had to be assumed.
        prepare: is given the opened image before its pixels are decoded: to refuse it (ValueError), or to ask for less.

    Raises:
        ValueError: when it cannot be opened or decoded; the message is the reason.
    """
    try:
        return _decode(file, tell, prepare)
    except Refused:
        raise
    except Exception as error:  # a broken file fails in Pillow in many ways, struct.error among them
        reason = str(error) or repr(error)
    for keep_color in (True, False):
        bare = bare_pixels(file, keep_color)
        if bare is None:
            break
        try:
            photograph = _decode(bare, tell, prepare)
        except Refused:
            raise
        except Exception:
            continue
        tell(
            "its metadata are damaged: read without those that are"
            if keep_color
            else "its metadata are damaged: no colour profile and no orientation in them is applied"
        )
        return photograph
    raise ValueError(reason)


def _decode(file: BinaryIO, tell: Callable[[str], None], prepare: Callable[[Image.Image], None]) -> Photograph:
    image = open_image(file)
    prepare(image)
    return Photograph(image, tell)
