"""When, where and with what a photograph was taken, as its EXIF says (CIPA DC-008)."""

from PIL import ExifTags, Image
from PIL.ExifTags import Base

# Of the image's own directory. What describes its pixels (size, orientation, thumbnail) is not true of the painted one.
_IMAGE_TAGS = {
    *(Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit),
    *(Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Rating, Base.Copyright),
    *(Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject),
}
# A maker's note holds places in the original file.
_LEFT_OUT = {Base.MakerNote, Base.ExifInteroperabilityOffset, Base.ExifImageWidth, Base.ExifImageHeight}
_SRGB = 1


def capture_metadata(image: Image.Image) -> Image.Exif:
    """The EXIF of an opened photograph that holds for a painted one too, without what is broken in it."""
    kept = Image.Exif()
    try:
        exif = image.getexif()
        parts = [
            (None, {tag: value for tag, value in exif.items() if tag in _IMAGE_TAGS}),
            (
                ExifTags.IFD.Exif,
                {t: value for t, value in exif.get_ifd(ExifTags.IFD.Exif).items() if t not in _LEFT_OUT},
            ),
            (ExifTags.IFD.GPSInfo, exif.get_ifd(ExifTags.IFD.GPSInfo)),
        ]
    except Exception:  # broken metadata fail in Pillow in many ways
        return kept
    for directory, tags in parts:
        for tag, value in tags.items():
            if _can_be_written(directory, tag, value):
                _set(kept, directory, tag, value)
    if kept:
        _set(kept, ExifTags.IFD.Exif, Base.ColorSpace, _SRGB)
    return kept


def _set(exif: Image.Exif, directory: int | None, tag: int, value) -> None:
    (exif if directory is None else exif.get_ifd(directory))[tag] = value


def _can_be_written(directory: int | None, tag: int, value) -> bool:
    alone = Image.Exif()
    try:
        _set(alone, directory, tag, value)
        return bool(alone.tobytes())
    except Exception:
        return False
