"""A painted photograph's file: whole or not there, in sRGB and saying so."""

import functools
from pathlib import Path

from PIL import Image, ImageCms

from stages.colorizing.destination import FORMATS
from stages.runtime.files import whole_file

# Without loss, but for JPEG.
_OPTIONS = {
    "png": {},
    "jpg": {"quality": 95, "subsampling": "4:4:4"},
    "webp": {"lossless": True},
    "tiff": {"compression": "tiff_adobe_deflate"},
}
_CREATED = slice(24, 36)  # ICC.1:2022, 7.2: when a profile was made


def save(image: Image.Image, path: Path, format: str, exif: Image.Exif | None = None) -> None:
    """Write an RGB image in sRGB.

    Args:
        format: a key of FORMATS.
        exif: metadata to keep.

    Raises:
        OSError: when it cannot be written.
        StageError: when the disk is full.
    """
    options = dict(_OPTIONS[format])
    if exif:
        options["exif"] = exif.tobytes()
        options.pop("compression", None)  # libtiff, which compresses, does not write the directories of EXIF
    with whole_file(path) as part:
        image.save(part, FORMATS[format][0], icc_profile=srgb_profile(), **options)


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, the same bytes each time: Little CMS notes when it made it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_CREATED] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2000-01-01
    return bytes(profile)
