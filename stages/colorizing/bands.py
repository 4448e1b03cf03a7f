"""Photographs of any size, a band of rows at a time: memory does not grow with what is made of them."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from PIL import Image

Box = tuple[int, int, int, int]  # left, top, right, bottom

BAND_PIXELS = 1 << 20
# Reduced by whole steps to so many times the wanted size, then by an antialiased filter: as good as the filter alone.
REDUCING_GAP = 3


class Bands(Protocol):
    """A photograph, upright and in sRGB, of which any band of rows can be had."""

    size: tuple[int, int]

    def rgb(self, box: Box | None = None) -> Image.Image:
        """RGB of a box that is as wide as the photograph, or of all of it."""


class Whole:
    """An RGB image in memory."""

    def __init__(self, image: Image.Image):
        self._image, self.size = image, image.size

    def rgb(self, box: Box | None = None) -> Image.Image:
        return self._image.crop(box) if box else self._image


class Spooled:
    """The pixels of a photograph, in a file: 3 bytes each, row after row."""

    def __init__(self, photograph: Bands, file: BinaryIO):
        self._file, self.size = file, photograph.size
        for box in band_boxes(photograph.size):
            file.write(photograph.rgb(box).tobytes())

    def rgb(self, box: Box | None = None) -> Image.Image:
        width = self.size[0]
        _, top, _, bottom = box or (0, 0, *self.size)
        self._file.seek(3 * width * top)
        return Image.frombytes("RGB", (width, bottom - top), self._file.read(3 * width * (bottom - top)))


def band_boxes(size: tuple[int, int], multiple: int = 1) -> Iterator[Box]:
    """The bands of a photograph of (width, height), from the top: some BAND_PIXELS each, of a multiple of some rows."""
    width, height = size
    rows = max(1, BAND_PIXELS // (width * multiple)) * multiple
    for top in range(0, height, rows):
        yield 0, top, width, min(height, top + rows)


def shrink(photograph: Bands, size: tuple[int, int]) -> Image.Image:
    """The whole photograph as RGB of (width, height), by an antialiased bicubic filter."""
    across, down = (
        max(1, whole // (REDUCING_GAP * wanted)) for whole, wanted in zip(photograph.size, size, strict=True)
    )
    if across == down == 1:
        return photograph.rgb().resize(size, Image.Resampling.BICUBIC)
    width, height = photograph.size
    reduced = Image.new("RGB", (-(-width // across), -(-height // down)))
    for box in band_boxes(photograph.size, multiple=down):
        reduced.paste(photograph.rgb(box).reduce((across, down)), (0, box[1] // down))
    return reduced.resize(size, Image.Resampling.BICUBIC, (0, 0, width / across, height / down))
