"""Sound pixels are decoded whatever is beside them.

The kinds are those of Pillow's tracker: EXIF fields of a wrong type (4665, 7340, 7839, 8965), EXIF without a header
(8348), long texts (8363, 2445), wrong checksums of notes (4472, 5672, 5978, 6843), broken indexes of pictures (1328,
9826).
"""

import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from stages.photographs.decoding import open_photograph
from tests.photographs.pictures import GREY, PHOTOGRAPH, encoded, lightness_off, linear, png_chunk, tiff, with_chunks
from tests.photographs.profiles import numbers_in, profile_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what it finds broken

SMALL = PHOTOGRAPH.resize((64, 48))
JPEG = encoded(SMALL, "JPEG", quality=95)
PNG = encoded(SMALL, "PNG")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")


def exif(*entries: bytes) -> bytes:
    """Little-endian EXIF that holds for an upright camera: orientation 6, and the entries."""
    entries = sorted([exif_entry(274, 3, 1, b"\6"), *entries], key=lambda entry: entry[:2][::-1])
    return b"II*\0\10\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def in_jpeg(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def app1(content: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + content)


BROKEN_EXIF = {
    "resolution as text": exif(exif_entry(282, 2, 4, b"72\0"), exif_entry(283, 2, 4, b"72\0")),
    "resolution twice": exif(exif_entry(282, 5, 2, struct.pack("<I", 8))),
    "rational of zero": exif(exif_entry(282, 10, 1, struct.pack("<I", 8))),
    "value beyond the end": exif(exif_entry(271, 2, 5000, struct.pack("<I", 60000))),
    "unknown kind": exif(exif_entry(306, 99, 1, b"x")),
    "a directory within itself": exif(exif_entry(0x8769, 4, 1, struct.pack("<I", 8))),
    "a directory nowhere": exif(exif_entry(0x8825, 4, 1, struct.pack("<I", 0xFFFFFFF0))),
}


@pytest.mark.parametrize("where", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kind", BROKEN_EXIF)
def test_a_broken_field_of_exif_neither_refuses_nor_turns_the_photograph_wrongly(kind, where):
    content = BROKEN_EXIF[kind]
    if where == "JPEG":
        content = in_jpeg(app1(content))
    elif where == "PNG":
        content = with_chunks(PNG, png_chunk(b"eXIf", content))
    else:
        content = encoded(SMALL, "WEBP", exif=b"Exif\0\0" + content)
    assert open_photograph(content).size == (48, 64)


@pytest.mark.parametrize(
    "broken",
    [b"", b"\0", b"no header at all", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\10\xff\xff", bytes(3000)],
)
@pytest.mark.parametrize("where", ["JPEG", "PNG", "WEBP"])
def test_exif_that_cannot_be_read_is_passed_over(broken, where):
    if where == "JPEG":
        content = in_jpeg(app1(broken))
    elif where == "PNG":
        content = with_chunks(PNG, png_chunk(b"eXIf", broken))
    else:
        content = encoded(SMALL, "WEBP", exif=b"Exif\0\0" + broken)
    assert open_photograph(content).size == SMALL.size


def test_exif_twice_headed_still_turns():
    assert open_photograph(in_jpeg(app1(b"Exif\0\0" + exif()))).size == (48, 64)


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_png_with_a_text_of_any_length(name, place):
    text = bytes(70 << 20)
    chunk = {
        b"tEXt": b"Comment\0" + text,
        b"zTXt": b"Comment\0\0" + zlib.compress(text, 1),
        b"iTXt": b"Comment\0\1\0\0\0" + zlib.compress(text, 1),
    }[name]
    chunk = png_chunk(name, chunk)
    content = with_chunks(PNG, chunk) if place == "before" else PNG[:-12] + chunk + PNG[-12:]
    assert np.array_equal(np.asarray(open_photograph(content)), np.asarray(SMALL))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"pHYs", b"\0\0"), (b"zTXt", b"a\0\7x"), (b"gAMA", b"\1"), (b"cHRM", b"\1"), (b"sRGB", b""), (b"acTL", b"\0"),
        (b"iCCP", b"name\0\5xx"), (b"iCCP", b"name"), (b"iCCP", b""), (b"\xc3\xa9Xt", b"a name that is no ASCII"),
        (b"tEXt", b"icc_profile\0text"), (b"tEXt", b"transparency\0text"), (b"tEXt", b"gamma\0x"),
        (b"tEXt", b"exif\0text"), (b"tEXt", b"Raw profile type exif\0\nexif\n9\nzz"), (b"tEXt", b"\xff\0\xff"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("checksum", ["right", "wrong"])
def test_a_png_with_a_broken_note(name, content, checksum):
    chunk = png_chunk(name, content)
    chunk = chunk if checksum == "right" else chunk[:-1] + bytes([chunk[-1] ^ 1])
    assert np.array_equal(np.asarray(open_photograph(with_chunks(PNG, chunk))), np.asarray(SMALL))


def test_where_a_text_is_too_long_the_profile_and_the_orientation_still_hold():
    stored = Image.fromarray(np.rint(numbers_in("linear", np.asarray(PHOTOGRAPH) / 255) * 255).astype(np.uint8))
    content = encoded(stored, "PNG", icc_profile=profile_of("linear"), exif=b"Exif\0\0" + exif())
    broken = png_chunk(b"tEXt", b"Comment\0" + bytes(1 << 20))[:-1] + b"?"
    notes = []
    image = open_photograph(with_chunks(content, broken), tell=notes.append)
    assert notes == ["its metadata are damaged: read without those that are"]
    assert lightness_off(image.transpose(Image.Transpose.ROTATE_90), PHOTOGRAPH) < 0.5


def test_a_profile_of_megabytes_is_applied():
    stored = Image.fromarray(np.rint(linear(np.asarray(GREY) / 255) * 255).astype(np.uint8)).convert("RGB")
    content = encoded(stored, "PNG", icc_profile=profile_of("linear") + bytes(3 << 20))
    assert lightness_off(open_photograph(content), GREY) < 0.5


def mpf(count: int) -> bytes:
    """An index of two pictures that says it has another number."""
    entries = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, count)
    return segment(0xE2, b"MPF\0II*\0\10\0\0\0\3\0" + entries + struct.pack("<HHII", 0xB002, 7, 32, 50) + bytes(36))


@pytest.mark.parametrize(
    "segments",
    [
        [mpf(3)], [mpf(2)], [mpf(0)], [segment(0xE2, b"MPF\0junk")], [segment(0xE0, b"JFIF")], [segment(0xE0, b"")],
        [segment(0xED, b"Photoshop 3.0\0" + b"8BIM" + bytes(3))], [segment(0xED, b"Photoshop 3.0\0" + b"8BIM\xff")],
        [segment(0xE2, b"ICC_PROFILE\0")], [segment(0xE2, b"ICC_PROFILE\0\1\2half")],
        [segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<")], [segment(0xFE, b"")], [segment(0xE1, b"")],
        [app1(exif()), app1(exif())],
    ],
    ids=lambda segments: str(segments[0][:40]),
)  # fmt: skip
def test_a_jpeg_with_a_broken_segment(segments):
    image = open_photograph(in_jpeg(*segments))
    assert sorted(image.size) == [48, 64]


def test_a_cmyk_jpeg_stays_right_when_its_other_segments_are_left_out():
    """Adobe's segment says whether its inks are inverted, and is no note."""
    content = encoded(SMALL.convert("CMYK"), "JPEG", quality=95)
    broken = content[:2] + segment(0xE0, b"JFIF") + content[2:]
    assert lightness_off(open_photograph(broken), open_photograph(content)) < 0.01


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize(
    "entry",
    [
        (282, 2, 4, b"72\0\0"), (296, 2, 4, b"in\0\0"), (274, 2, 2, b"6\0\0\0"), (34675, 2, 4, b"icc\0"),
        (700, 2, 4, b"xmp\0"), (34665, 2, 4, b"exif"), (33723, 99, 1, b"iptc"), (305, 2, 9999, b"\xff\xff\xff\x7f"),
    ],
    ids=lambda entry: str(entry[0]),
)  # fmt: skip
def test_a_tiff_with_a_field_of_a_wrong_type(entry, compression):
    """One field of the directory is made another: of the fields that describe no pixels, tifffile writes some."""
    content = bytearray(tiff(np.asarray(SMALL), photometric="rgb", compression=compression, software="x" * 40))
    start = struct.unpack("<I", content[4:8])[0]
    (count,) = struct.unpack("<H", content[start : start + 2])
    entries = [bytes(content[start + 2 + 12 * n : start + 14 + 12 * n]) for n in range(count)]
    software = next(n for n, each in enumerate(entries) if struct.unpack("<H", each[:2])[0] == 305)
    entries[software] = exif_entry(*entry)
    if entry[0] == 282:  # both are looked at
        entries = [exif_entry(283, *entry[1:]) if each[:2] == b"\x1b\1" else each for each in entries]
    content[start + 2 : start + 2 + 12 * count] = b"".join(sorted(entries, key=lambda each: each[:2][::-1]))
    image = open_photograph(bytes(content))
    assert np.array_equal(np.asarray(image), np.asarray(SMALL))


def notes_in_jpeg(content: bytes) -> list[tuple[int, int]]:
    start, found = 2, []
    while content[start + 1] != 0xDA:
        end = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
        if content[start + 1] in (0xE0, 0xE1, 0xE2, 0xFE):
            found.append((start + 4, end))
        start = end
    return found


def notes_in_png(content: bytes) -> list[tuple[int, int]]:
    start, found = 8, []
    while start < len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] not in (b"IHDR", b"IDAT", b"IEND"):
            found.append((start + 8, end))
        start = end
    return found


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_five_hundred_files_with_notes_changed_at_random(kind):
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "a dish")
    info.add_text("Other", "many dishes" * 9, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<tiff:Orientation>6</tiff:Orientation>")
    options = {"exif": b"Exif\0\0" + exif(), "icc_profile": SRGB, "dpi": (72, 72)}
    options |= {"pnginfo": info} if kind == "png" else {"quality": 95, "comment": b"a dish", "xmp": b"<xmp>"}
    content = encoded(SMALL, kind.upper(), **options)
    places = notes_in_png(content) if kind == "png" else notes_in_jpeg(content)
    assert len(places) >= 5
    rng = random.Random(0)
    for _ in range(500):
        changed = bytearray(content)
        for _ in range(rng.choice((1, 2, 5, 20))):
            changed[rng.randrange(*rng.choice(places))] = rng.choice((0, 255, rng.randrange(256)))
        assert sorted(open_photograph(bytes(changed)).size) == [48, 64]
