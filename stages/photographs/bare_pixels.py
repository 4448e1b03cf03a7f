"""A photograph's file without the metadata that may be broken: what is left decodes to the same pixels.

Pillow reads metadata before it decodes, and refuses a file for a caption that is too long, a resolution that is a text
or the checksum of a note. Nothing is copied: the result is a view of the file that leaves those parts out.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import TiffImagePlugin as tiff

Piece = tuple[int, int] | bytes  # a part of the file (start, end), or bytes in its place

LARGEST_CHUNK = 64 << 20  # bytes of a colour profile

# What decides how pixels are decoded, shown and turned.
_PNG_COLOR = {b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"eXIf"}
_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}
_JPEG_ICC, _JPEG_ADOBE, _JPEG_EXIF = (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"), (0xE1, b"Exif\0\0")
_TIFF_PIXELS = {
    *(tiff.IMAGEWIDTH, tiff.IMAGELENGTH, tiff.BITSPERSAMPLE, tiff.COMPRESSION, tiff.PHOTOMETRIC_INTERPRETATION),
    *(tiff.FILLORDER, tiff.STRIPOFFSETS, tiff.SAMPLESPERPIXEL, tiff.ROWSPERSTRIP, tiff.STRIPBYTECOUNTS),
    *(tiff.PLANAR_CONFIGURATION, tiff.PREDICTOR, tiff.COLORMAP, tiff.TILEWIDTH, tiff.TILELENGTH, tiff.TILEOFFSETS),
    *(tiff.TILEBYTECOUNTS, tiff.EXTRASAMPLES, tiff.SAMPLEFORMAT, tiff.JPEGTABLES, tiff.YCBCRSUBSAMPLING),
    *(254, 255, 280, 281, 292, 293, 340, 341, 512, 513, 514, 515, 519, 520, 521, 529, 532),
}
_TIFF_COLOR = {tiff.ICCPROFILE, 274}


def bare_pixels(file: BinaryIO, keep_color: bool) -> BinaryIO | None:
    """The same photograph without metadata, or None for formats whose metadata Pillow does not read by itself.

    Args:
        file: a JPEG, PNG or TIFF; it must stay open as long as the result.
        keep_color: keep the colour profile and the orientation, where they are not visibly damaged.
    """
    file.seek(0)
    head = file.read(16)
    if head.startswith(b"\xff\xd8"):
        pieces = _jpeg(file, keep_color)
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        pieces = _png(file, keep_color)
    elif head[:4] in (b"II\x2a\x00", b"MM\x00\x2a"):
        pieces = _tiff(file, keep_color)
    else:
        return None
    try:
        return io.BufferedReader(_View(file, list(pieces)))
    except (struct.error, IndexError):  # cut short within its headers
        return None


def _png(file: BinaryIO, keep_color: bool) -> Iterator[Piece]:
    kept = _PNG_COLOR if keep_color else set()
    yield 0, 8
    start, end = 8, _size(file)
    while start < end:
        file.seek(start)
        length, name = struct.unpack(">I4s", file.read(8))
        following = start + 12 + length
        if name in _PNG_PIXELS or (name in kept and _is_sound(file, name, length)):
            yield start, following
        if name == b"IEND":
            return
        start = following


def _is_sound(file: BinaryIO, name: bytes, length: int) -> bool:
    """Whether the chunk whose content comes next has its checksum."""
    return length <= LARGEST_CHUNK and zlib.crc32(file.read(length), zlib.crc32(name)).to_bytes(4, "big") == file.read(
        4
    )


def _jpeg(file: BinaryIO, keep_color: bool) -> Iterator[Piece]:
    kept = [_JPEG_ADOBE, *([_JPEG_ICC, _JPEG_EXIF] if keep_color else [])]
    yield 0, 2
    start, end = 2, _size(file)
    while True:
        file.seek(start)
        head = file.read(16)
        if head[0] != 0xFF:
            yield start, end
            return
        if head[1] == 0xFF:  # padding
            start += 1
            continue
        marker, (length,) = head[1], struct.unpack(">H", head[2:4])
        if marker == 0xDA:  # the pixels
            yield start, end
            return
        note = 0xE0 <= marker <= 0xEF or marker == 0xFE
        if not note or any(marker == kind and head[4:].startswith(name) for kind, name in kept):
            yield start, start + 2 + length
        start += 2 + length


def _tiff(file: BinaryIO, keep_color: bool) -> Iterator[Piece]:
    kept = _TIFF_PIXELS | (_TIFF_COLOR if keep_color else set())
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    (start,) = struct.unpack(f"{order}I", file.read(4))
    file.seek(start)
    (count,) = struct.unpack(f"{order}H", file.read(2))
    entries = [file.read(12) for _ in range(count)]
    entries = [entry for entry in entries if struct.unpack(f"{order}H", entry[:2])[0] in kept]
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    old = 2 + 12 * count + 4  # shorter by what was left out, and nothing else moves
    yield 0, start
    yield directory + bytes(old - len(directory))
    yield start + old, _size(file)


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Neighbours in one: a PNG's pixels come in thousands of pieces."""
    merged = []
    for piece in pieces:
        before = merged[-1] if merged else None
        if isinstance(piece, tuple) and isinstance(before, tuple) and before[1] == piece[0]:
            merged[-1] = (before[0], piece[1])
        else:
            merged.append(piece)
    return merged


class _View(io.RawIOBase):
    """The pieces one after another, as a file to read."""

    def __init__(self, file: BinaryIO, pieces: list[Piece]):
        self._file, self._pieces, self._place = file, [], 0
        self._size = 0
        for piece in _merged(pieces):
            length = len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
            self._pieces.append((self._size, self._size + length, piece))
            self._size += length

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer):
        for start, end, piece in self._pieces:
            if start <= self._place < end:
                skip, length = self._place - start, min(len(buffer), end - self._place)
                if isinstance(piece, bytes):
                    content = piece[skip : skip + length]
                else:
                    self._file.seek(piece[0] + skip)
                    content = self._file.read(length)
                buffer[: len(content)] = content
                self._place += len(content)
                return len(content)
        return 0
