"""What TIFF adds to a photograph: several pages, layouts of greys that Pillow does not list, camera RAW in disguise."""

from typing import BinaryIO

from PIL import ImageFile, TiffImagePlugin
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT, SAMPLESPERPIXEL

from stages.photographs.refusal import Refused
from stages.photographs.signatures import camera_raw

NEW_SUBFILE_TYPE, OLD_SUBFILE_TYPE, MAKE, SUB_IFDS, DNG_VERSION = 254, 255, 271, 330, 50706
COLOR_FILTER_ARRAY, LINEAR_RAW = 32803, 34892
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
_KINDS = {UNSIGNED: "unsigned", SIGNED: "signed", FLOATING: "floating-point"}

# Layouts that Pillow decodes but does not list: WhiteIsZero (photometric 0) and big-endian greys, and 64-bit floating
# point. Signed 8-bit greys it lists as unsigned. `stages.photographs.greys` knows what the numbers mean.
for _order, _swapped in ((b"II", ""), (b"MM", "B")):
    for _photometric in (0, 1):
        for _format, _bits, _mode, _raw in (
            (UNSIGNED, 16, f"I;16{_swapped}", f"I;16{_swapped}"),
            (SIGNED, 16, "I", f"I;16{_swapped}S"),
            (UNSIGNED, 32, "I", f"I;32{_swapped}S"),
            (SIGNED, 32, "I", f"I;32{_swapped}S"),
            (FLOATING, 32, "F", f"F;32{_swapped}F"),
            (FLOATING, 64, "F", f"F;64{_swapped}F"),
        ):
            _layout = (_order, _photometric, (_format,), 1, (_bits,), ())
            TiffImagePlugin.OPEN_INFO.setdefault(_layout, (_mode, _raw))
        TiffImagePlugin.OPEN_INFO[_order, _photometric, (SIGNED,), 1, (8,), ()] = ("I", "I;8S")


def prepare_tiff(image: TiffImagePlugin.TiffImageFile) -> None:
    """Turn to the first page at full resolution, and mend what Pillow would decode wrongly.

    Cameras put a thumbnail on the first page, which is all that Pillow reads of their raw files.

    Raises:
        Refused: when there is no such page; the message says what the file is.
    """
    if _is_raw(image.tag_v2):
        raise Refused(camera_raw(_camera(image.tag_v2)))
    thumbnail = image.size
    page = 0
    while _is_reduced(image.tag_v2):
        page += 1
        try:
            image.seek(page)
        except EOFError:
            raise Refused(_only_a_thumbnail(image, thumbnail)) from None
        except SyntaxError:  # a page whose layout Pillow does not know; its tags have been read
            if not _is_reduced(image.tag_v2):
                raise Refused(_only_a_thumbnail(image, thumbnail)) from None
    _decode_in_native_order(image)


def describe_tiff(file: BinaryIO) -> str:
    """Why Pillow does not open a TIFF: camera RAW, or a layout of pixels that it does not know."""
    tags = _first_directory(file)
    if tags is None:
        return "a TIFF that is broken: its list of contents cannot be read"
    if _is_raw(tags) or (_is_reduced(tags) and SUB_IFDS in tags):
        return camera_raw(_camera(tags))
    bits, kinds = tags.get(BITSPERSAMPLE, (1,)), tags.get(SAMPLEFORMAT, (UNSIGNED,))
    samples = tags.get(SAMPLESPERPIXEL, len(bits))
    return (
        f"a TIFF whose pixels are stored in a way that is not read: {samples} channels of {bits[0]} bits, "
        f"{_KINDS.get(kinds[0], 'unknown')}, photometric {tags.get(PHOTOMETRIC_INTERPRETATION)}. "
        "Read are greys of 1 to 32 bits, or 64 of floating point, and RGB and CMYK of 8 or 16: save it as one of them"
    )


def _is_raw(tags) -> bool:
    return DNG_VERSION in tags or tags.get(PHOTOMETRIC_INTERPRETATION) in (COLOR_FILTER_ARRAY, LINEAR_RAW)


def _is_reduced(tags) -> bool:
    kind = tags.get(NEW_SUBFILE_TYPE, 0)
    return (isinstance(kind, int) and bool(kind & 1)) or tags.get(OLD_SUBFILE_TYPE) == 2


def _camera(tags) -> str:
    if DNG_VERSION in tags:
        return "DNG"
    make = tags.get(MAKE)
    return f"of {make.strip()}" if isinstance(make, str) and make.strip() else "of an unnamed camera"


def _only_a_thumbnail(image: TiffImagePlugin.TiffImageFile, size: tuple[int, int]) -> str:
    image.seek(0)
    if SUB_IFDS in image.tag_v2 or MAKE in image.tag_v2:
        return camera_raw(_camera(image.tag_v2))
    return f"a TIFF of which only a thumbnail of {size[0]} x {size[1]} can be read: save the photograph itself as TIFF"


def _first_directory(file: BinaryIO) -> TiffImagePlugin.ImageFileDirectory_v2 | None:
    file.seek(0)
    try:
        header = file.read(8)
        tags = TiffImagePlugin.ImageFileDirectory_v2(header + (file.read(8) if header[2] == 43 else b""))
        file.seek(tags.next)
        tags.load(file)
        return tags if TiffImagePlugin.IMAGEWIDTH in tags else None
    except Exception:  # whatever a broken file makes of it
        return None


def _decode_in_native_order(image: TiffImagePlugin.TiffImageFile) -> None:
    """libtiff hands numbers out in this machine's order; Pillow swaps those of big-endian files once more."""
    image.tile = [
        ImageFile._Tile(tile.codec_name, tile.extents, tile.offset, (_native(tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff"
        else tile
        for tile in image.tile
    ]


def _native(raw: str) -> str:
    return raw.replace("B", "N") if raw.startswith(("I;16BS", "I;32BS", "F;32BF", "F;64BF")) else raw
