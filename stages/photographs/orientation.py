"""Which way up a photograph is held, by its EXIF orientation (CIPA DC-008, tag 274)."""

from PIL import Image

ORIENTATION = 274
_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def take_orientation(image: Image.Image) -> int:
    """The orientation of an opened image, 1 (upright) to 8; 1 where metadata do not say, or are broken.

    Pillow's own `exif_transpose` writes all metadata anew and fails on any of them; this reads the one tag. A TIFF
    would be turned while it is decoded, in twice the memory: its tag is taken away, so that it is decoded as stored.
    """
    try:
        exif = image.getexif()
        value = exif.pop(ORIENTATION, 1)
    except Exception:  # broken metadata fail in Pillow in many ways; the pixels may be sound
        value = 1
    if image.format == "TIFF" and ORIENTATION in image.tag_v2:
        del image.tag_v2[ORIENTATION]
        image._size = image._tile_size
    return value if isinstance(value, int) and value in _TRANSPOSED else 1


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) once upright, of (width, height) as stored."""
    return size[::-1] if orientation >= 5 else size


def stored_box(box: tuple[int, int, int, int], size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """Where a box (left, top, right, bottom) of the upright photograph lies in the stored one of (width, height)."""
    left, top, right, bottom = box
    width, height = size
    if orientation >= 5:  # rows are columns
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The stored pixels, or any part of them, upright."""
    return image.transpose(_TRANSPOSED[orientation]) if orientation in _TRANSPOSED else image
