"""Which formats are opened, whatever a file is called; of the others, what they are and what to do."""

import io
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.photographs import formats
from stages.photographs.decoding import open_photograph, photograph_to_lab8
from stages.photographs.formats import FORMATS, open_image
from stages.photographs.signatures import describe
from tests.photographs.pictures import PHOTOGRAPH, encoded, lightness_off

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\n0 0 20 20 rectfill\nshowpage\n%%EOF\n"


def box(name: bytes, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


def refusal(content: bytes) -> str:
    with pytest.raises(ValueError) as error:
        open_photograph(content)
    return str(error.value)


@pytest.fixture
def programs(tmp_path, monkeypatch) -> Path:
    """A log of the programs that are started: each that Pillow or a system's tool might start is a script here."""
    log = tmp_path / "started"
    for name in ("gs", "gswin32c", "djpeg", "cjpeg", "ppmquant", "display", "xdg-open"):
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\necho {name} >> {log}\nexit 1\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return log


@pytest.mark.parametrize("decode", [open_photograph, lambda content: photograph_to_lab8(content, 32, "crop")])
@pytest.mark.parametrize("content", [EPS, b"\xc5\xd0\xd3\xc6" + bytes(26) + EPS, b"\n" + EPS])
def test_no_program_is_started(programs, content, decode):
    with pytest.raises(ValueError, match="not an image"):
        decode(content)
    assert not programs.exists()


def test_pillow_alone_would_start_one(programs):
    """Else the test above shows nothing."""
    with pytest.raises((OSError, subprocess.CalledProcessError)), Image.open(io.BytesIO(EPS)) as image:
        image.load()
    assert programs.exists()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}), ("JPEG", {"quality": 95, "progressive": True}), ("PNG", {}), ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"big_tiff": True}), ("WEBP", {"quality": 95}),
        ("AVIF", {"quality": 95}), ("GIF", {}), ("BMP", {}), ("JPEG2000", {}), ("PPM", {}),
        ("MPO", {"quality": 95, "save_all": True, "append_images": [PHOTOGRAPH.rotate(180)]}),
    ],
)  # fmt: skip
def test_formats_of_the_list_are_read_under_any_name(kind, options):
    assert lightness_off(open_photograph(encoded(PHOTOGRAPH, kind, **options)), PHOTOGRAPH) < 1.5


@pytest.mark.parametrize("kind", ["ICO", "PCX", "SGI", "TGA", "DDS", "IM", "ICNS", "XBM", "EPS", "PDF", "MSP"])
def test_all_others_are_refused(kind):
    image = PHOTOGRAPH.convert("1") if kind in ("XBM", "MSP") else PHOTOGRAPH.resize((64, 64))
    refusal(encoded(image, kind))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["not an image: the file is empty"]),
        (bytes(10_000), ["not an image", "zeros", "copy"]),
        (b"<!DOCTYPE html><html></html>", ["not an image, but a web page"]),
        (b"\xef\xbb\xbf\n <HTML lang='en'>", ["not an image, but a web page"]),
        (b'<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', ["SVG", "rsvg-convert"]),
        (b"<svg/>", ["SVG", "rsvg-convert"]),
        (b"%PDF-1.7\n", ["PDF", "pdftoppm"]),
        (EPS, ["PostScript, which is not run"]),
        (box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(99), ["HEIC", "pip install", "heif-convert"]),
        (box(b"ftyp", b"mif1\0\0\0\0mif1heic") + bytes(99), ["HEIC"]),
        (box(b"ftyp", b"crx \0\0\0\1crx isom") + bytes(99), ["camera RAW (Canon CR3)", "darktable"]),
        (box(b"ftyp", b"isom\0\0\0\0isommp42") + bytes(99), ["a video", "ffmpeg"]),
        (box(b"ftyp", b"qt  \0\0\0\0qt  ") + bytes(99), ["a video"]),
        (b"\x1a\x45\xdf\xa3" + bytes(99), ["a video"]),
        (b"RIFF\0\0\0\0AVI LIST", ["a video"]),
        (b"\xff\x0a" + bytes(30), ["JPEG XL", "djxl"]),
        (b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a", ["JPEG XL"]),
        (b"8BPS\0\1" + bytes(30), ["Photoshop"]),
        (b"gimp xcf v011", ["GIMP"]),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(99), ["camera RAW (Canon CR2)"]),
        (b"FUJIFILMCCD-RAW 0201", ["camera RAW (Fujifilm RAF)"]),
        (b"IIU\0\x18\0\0\0", ["camera RAW (Panasonic RW2)"]),
        (b"IIRO\x08\0\0\0", ["camera RAW (Olympus ORF)"]),
        (b"PK\3\4" + bytes(30), ["an archive", "unpack"]),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", ["macOS"]),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", ["Git LFS", "git lfs pull"]),
        (b"SIMPLE  =                    T", ["FITS"]),
        (bytes(128) + b"DICM", ["DICOM"]),
        (b"AT&TFORM\0\0\0\0DJVU", ["DjVu"]),
        (b"just words\n", ["not an image"]),
    ],
)
def test_a_file_that_is_not_opened_is_told_by_what_it_is_and_what_to_do(monkeypatch, content, words):
    monkeypatch.setattr(formats, "FORMATS", [name for name in FORMATS if name != "HEIF"])  # as without the extra
    message = refusal(content)
    for word in words:
        assert word in message
    assert "\n" not in message


def test_heic_is_not_refused_where_the_extra_is_installed():
    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    assert describe(head) is not None
    assert describe(head, heif=True) is None
    assert describe(box(b"ftyp", b"avif\0\0\0\0avifmif1")) is None


def test_heic_is_read_with_the_extra():
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(PHOTOGRAPH).save(buffer, quality=95)
    assert lightness_off(open_photograph(buffer.getvalue()), PHOTOGRAPH) < 1.5


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("TIFF", "TIFF"), ("GIF", "GIF")])
def test_what_is_cut_short_is_told_by_its_format(kind, name):
    content = encoded(PHOTOGRAPH, kind)
    assert f"a {name} that is broken" in refusal(content[:12])
    assert refusal(content[: len(content) // 2])


def test_only_the_formats_of_the_list_are_tried(monkeypatch):
    tried = []
    original = Image.open
    monkeypatch.setattr(
        formats.Image, "open", lambda file, **options: tried.append(options) or original(file, **options)
    )
    open_image(io.BytesIO(encoded(PHOTOGRAPH, "PNG")))
    assert tried == [{"formats": FORMATS}]
    assert not {"EPS", "WMF", "FPX", "PCD", "PSD", "IPTC"} & set(FORMATS)


def test_the_archives_guard_against_bombs_of_pixels_stays(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert "exceeds limit" in refusal(encoded(Image.new("RGB", (15, 15)), "PNG"))
    assert np.asarray(open_photograph(encoded(Image.new("RGB", (9, 9)), "PNG"))).shape == (9, 9, 3)
