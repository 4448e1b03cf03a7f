"""What a file is, by its first bytes, where it is none of the formats that are opened; and what to convert it with."""

import re

HEAD = 4096  # bytes that `describe` wants to see

_NOT_AN_IMAGE = "not an image"
_POSTSCRIPT = f"{_NOT_AN_IMAGE}, but PostScript, which is not run: save it as PNG or TIFF with the program that made it"
_PDF = f"{_NOT_AN_IMAGE}, but a PDF: `pdftoppm -png -r 300 FILE PAGE` makes a PNG of each page"
_SVG = f"{_NOT_AN_IMAGE} of pixels, but an SVG drawing: `rsvg-convert FILE -o FILE.png` makes a PNG"
_HTML = f"{_NOT_AN_IMAGE}, but a web page: download the photograph itself"
_VIDEO = f"{_NOT_AN_IMAGE}, but a video: `ffmpeg -i FILE -frames:v 1 FILE.png` takes its first picture"
_ARCHIVE = f"{_NOT_AN_IMAGE}, but an archive: unpack it first"
_APPLE_DOUBLE = f"{_NOT_AN_IMAGE}, but what macOS notes about one: remove it"
_LFS = f"{_NOT_AN_IMAGE}, but what Git LFS leaves in its place: `git lfs pull` fetches it"
_HEIC = (
    "an HEIC photograph: `pip install '.[heif]'` in the project's folder lets it be read, or "
    "`heif-convert FILE FILE.png` makes a PNG"
)
_PNG_OR_TIFF = "save it as PNG or TIFF"

_SIGNATURES = [
    (0, b"%!PS", _POSTSCRIPT),
    (0, b"\xc5\xd0\xd3\xc6", _POSTSCRIPT),
    (0, b"%PDF-", _PDF),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO),
    (8, b"AVI ", _VIDEO),
    (0, b"\x00\x00\x01\xba", _VIDEO),
    (0, b"\x00\x00\x01\xb3", _VIDEO),
    (0, b"PK\x03\x04", _ARCHIVE),
    (0, b"\x1f\x8b", _ARCHIVE),
    (0, b"Rar!", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (0, b"\x00\x05\x16\x07", _APPLE_DOUBLE),
    (0, b"version https://git-lfs", _LFS),
    (0, b"8BPS", f"a Photoshop document, whose layers are not read: {_PNG_OR_TIFF} with Photoshop or GIMP"),
    (0, b"gimp xcf", f"a GIMP document, whose layers are not read: {_PNG_OR_TIFF} with GIMP"),
    (0, b"\xff\x0a", "a JPEG XL, which is not read: `djxl FILE FILE.png` makes a PNG"),
    (4, b"JXL ", "a JPEG XL, which is not read: `djxl FILE FILE.png` makes a PNG"),
    (0, b"\x76\x2f\x31\x01", f"an OpenEXR image, which is not read: {_PNG_OR_TIFF} with GIMP or darktable"),
    (0, b"#?RADIANCE", f"a Radiance HDR image, which is not read: {_PNG_OR_TIFF} with GIMP or darktable"),
    (0, b"SIMPLE  =", f"a FITS image, which is not read: {_PNG_OR_TIFF} with GIMP or Siril"),
    (128, b"DICM", "a DICOM image, which is not read: `dcm2img FILE FILE.png` makes a PNG"),
    (0, b"AT&TFORM", "a DjVu document, which is not read: `ddjvu -format=tiff FILE FILE.tif` makes a TIFF"),
    (0, b"\x00\x00\x01\x00", f"an icon, which is not read: {_PNG_OR_TIFF} with GIMP"),
]

# Raw files that are laid out like no TIFF, or mark their first bytes; the others are known by their tags.
_CAMERA_RAW = [
    (8, b"CR\x02\x00", "Canon CR2"),
    (6, b"HEAPCCDR", "Canon CRW"),
    (4, b"ftypcrx", "Canon CR3"),
    (0, b"FUJIFILMCCD-RAW", "Fujifilm RAF"),
    (0, b"IIU\x00", "Panasonic RW2"),
    (0, b"IIRO", "Olympus ORF"),
    (0, b"IIRS", "Olympus ORF"),
    (0, b"MMOR", "Olympus ORF"),
    (0, b"FOVb", "Sigma X3F"),
    (0, b"\x00MRM", "Minolta MRW"),
]
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}


def describe(head: bytes, heif: bool = False) -> str | None:
    """What a file is and what to do with it, or None where its first bytes do not tell that it is not opened.

    Args:
        head: the file's first HEAD bytes, or all that it has.
        heif: whether HEIC is opened.

    >>> describe(b"%PDF-1.7")[:22]
    'not an image, but a PD'
    """
    if not head:
        return f"{_NOT_AN_IMAGE}: the file is empty"
    if not head.strip(b"\0"):
        return f"{_NOT_AN_IMAGE}: it begins with {len(head):,} zeros, as files do whose copy failed"
    for offset, signature, name in _CAMERA_RAW:
        if head.startswith(signature, offset):
            return camera_raw(name)
    for offset, signature, reason in _SIGNATURES:
        if head.startswith(signature, offset):
            return reason
    if head[4:8] == b"ftyp":
        return _iso_media(head, heif)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in text:
        return _SVG
    return _HTML if re.match(rb"<(!doctype html|html|head|body|script)", text) else None


def camera_raw(name: str) -> str:
    """The reason that a file of this raw format is refused by."""
    return (
        f"camera RAW ({name}): develop it first, with the camera's program, RawTherapee or "
        f"`darktable-cli FILE FILE.tif`; what it holds ready-made is a small preview"
    )


def _iso_media(head: bytes, heif: bool) -> str | None:
    """Of a file of ISO/IEC 14496-12's boxes, by the brands that its first box lists."""
    size = max(int.from_bytes(head[:4], "big"), 16)
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(size, len(head)), 4))}
    if brands & {b"avif", b"avis"}:
        return None
    if brands & _HEIF_BRANDS:
        return None if heif else _HEIC
    return _VIDEO
