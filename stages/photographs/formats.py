"""The formats that are opened, and what is said of a file in any other.

Pillow by itself tries every format that it knows, whatever a file is called, and hands PostScript to Ghostscript. Here
only the formats of a list are tried, all of them decoded in this process: no file starts a program.
"""

import contextlib
from typing import BinaryIO

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from stages.photographs.refusal import Refused
from stages.photographs.signatures import HEAD, describe
from stages.photographs.tiff import describe_tiff, prepare_tiff
from stages.photographs.unembedded import jp2_profile

FORMATS = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "JPEG2000", "PPM"]

# Unpacked, of a PNG's colour profile: those of scanners have tables of more than Pillow's megabyte.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20

with contextlib.suppress(ImportError):  # an extra: pip install '.[heif]'
    from pillow_heif import register_heif_opener

    register_heif_opener()
    FORMATS.append("HEIF")

# First bytes of what Pillow may fail to open although it is on the list.
_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"II\x2a\x00": "TIFF",
    b"MM\x00\x2a": "TIFF",
    b"II\x2b\x00": "TIFF",
    b"MM\x00\x2b": "TIFF",
    b"RIFF": "WebP",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"\x00\x00\x00\x0cjP": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
}


def open_image(file: BinaryIO) -> Image.Image:
    """Open an image file of a format of the list, without decoding its pixels.

    Of a file of several pages the first that is not a thumbnail is taken.

    Args:
        file: seekable; it must stay open until the pixels are decoded.

    Raises:
        Refused: when it is of another format, or holds no more than a thumbnail that can be read; the message says what
            it is and what to do with it.
        ValueError: when it is broken; the message says what it is.
    """
    file.seek(0)
    head = file.read(HEAD)
    if reason := describe(head, heif="HEIF" in FORMATS):
        raise Refused(reason)
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(_describe_unopened(file, head)) from None
    except OSError as error:
        raise ValueError(f"{_describe_unopened(file, head)} ({error})") from None
    if image.format == "TIFF":
        prepare_tiff(image)
    if image.format == "JPEG2000" and (profile := jp2_profile(file)):
        image.info["icc_profile"] = profile
    return image


def _describe_unopened(file: BinaryIO, head: bytes) -> str:
    name = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    if name == "TIFF":
        return describe_tiff(file)
    return f"a {name} that is broken or incomplete" if name else "not an image"
