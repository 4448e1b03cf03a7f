"""Greys of any depth come out as light as they are, or are refused with the reason."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from stages.photographs.decoding import open_photograph
from tests.photographs.pictures import GREY, encoded, lightness_off, png_chunk, tiff, with_chunks

SHARE = np.asarray(GREY) / 255  # of white: 0.03 to 0.97
SMALLEST, LARGEST, S_SMALLEST, S_LARGEST = 280, 281, 340, 341
LONG, FLOAT = 4, 11


def scaled(white: float, dtype: str, black: float = 0) -> np.ndarray:
    """The reference's greys from `black` to `white`."""
    values = black + SHARE * (white - black)
    return (values if np.dtype(dtype).kind == "f" else np.rint(values)).astype(dtype)


def opened(content: bytes) -> Image.Image:
    return open_photograph(content)


def refusal(content: bytes) -> str:
    with pytest.raises(ValueError) as error:
        open_photograph(content)
    return str(error.value)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "white"),
    [
        ("u1", 255), ("u2", 65535), ("u2", 4095), ("u2", 1023), ("u2", 255),
        ("u4", 2**32 - 1), ("u4", 2**24 - 1), ("u4", 65535), ("u4", 4095), ("u4", 255),
        ("i1", 127), ("i2", 32767), ("i2", 4095), ("i4", 2**31 - 1), ("i4", 65535), ("i4", 255),
        ("f4", 1.0), ("f4", 255.0), ("f4", 65535.0), ("f8", 1.0), ("f8", 255.0),
    ],
)  # fmt: skip
def test_tiff(dtype, white, order, compression, photometric):
    values = scaled(white, dtype)
    if photometric == "miniswhite":
        values = (white - values).astype(dtype)
    content = tiff(values, byteorder=order, compression=compression, photometric=photometric)
    off = lightness_off(opened(content), GREY)
    assert off < (0.5 if white in (127, 255) and dtype != "u1" else 0.15)


def test_fourteen_bits_are_told_from_a_dark_photograph_by_reaching_their_white():
    bright = np.maximum(scaled(16383, "u2"), 0)
    bright[0, 0] = 16383
    assert lightness_off(opened(tiff(bright)), GREY) < 0.15
    dark = scaled(16383, "u2") // 2 * 1
    assert lightness_off(opened(tiff(dark)), Image.fromarray((dark / 257).astype(np.uint8))) < 0.5


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_fewer_than_eight_bits(bits):
    levels = np.tile(np.arange(2**bits, dtype=np.uint8), (8, 16))
    step = 255 // (2**bits - 1)
    reference = Image.fromarray(levels * step)
    packed = {1: levels.astype(bool)}.get(bits)
    if packed is not None:
        assert lightness_off(opened(tiff(packed)), reference) < 0.01
        assert lightness_off(opened(tiff(~packed, photometric="miniswhite")), reference) < 0.01
    stored = Image.fromarray(levels)
    content = encoded(stored, "PNG") if bits == 8 else encoded(reference, "PNG", bits=bits)
    assert lightness_off(opened(content), reference) < 0.01


def test_twelve_bits_as_tiff_packs_them():
    values = scaled(4095, "u2")
    packed = bytearray()
    for first, second in values.reshape(-1, 2).tolist():
        packed += bytes((first >> 4, (first & 15) << 4 | second >> 8, second & 255))
    content = bytearray(tiff(values))
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as file:
        tags = file.pages[0].tags
        bits, counts, offset = tags[258].valueoffset, tags[279].valueoffset, tags[273].value[0]
    content[bits : bits + 2] = (12).to_bytes(2, "little")
    content[counts : counts + 4] = len(packed).to_bytes(4, "little")
    content[offset:] = packed
    assert lightness_off(opened(bytes(content)), GREY) < 0.15


@pytest.mark.parametrize(
    ("dtype", "black", "white", "tags"),
    [
        ("u2", 0, 20000, [(LARGEST, LONG, 1, 20000, True)]),
        ("u2", 1000, 5000, [(SMALLEST, LONG, 1, 1000, True), (LARGEST, LONG, 1, 5000, True)]),
        ("u2", 0, 65535, [(LARGEST, LONG, 1, 65535, True)]),
        ("u4", 0, 3_000_000, [(LARGEST, LONG, 1, 3_000_000, True)]),
        ("f4", -1, 1, [(S_SMALLEST, FLOAT, 1, -1.0, True), (S_LARGEST, FLOAT, 1, 1.0, True)]),
        ("f4", 0, 100, [(S_SMALLEST, FLOAT, 1, 0.0, True), (S_LARGEST, FLOAT, 1, 100.0, True)]),
    ],
)
def test_tags_for_the_range_are_taken_at_their_word(dtype, black, white, tags):
    assert lightness_off(opened(tiff(scaled(white, dtype, black), extratags=tags)), GREY) < 0.15


def test_a_dark_photograph_that_says_it_has_sixteen_bits_stays_dark():
    dark = scaled(4000, "u2")
    content = tiff(dark, extratags=[(LARGEST, LONG, 1, 65535, True)])
    assert lightness_off(opened(content), Image.fromarray((dark / 257).astype(np.uint8))) < 0.5


def test_tags_that_pixels_contradict_are_not_believed():
    content = tiff(scaled(4095, "u2"), extratags=[(LARGEST, LONG, 1, 255, True)])
    assert lightness_off(opened(content), GREY) < 0.15


@pytest.mark.parametrize("white", [4095, 65535])
def test_png(white):
    assert lightness_off(opened(encoded(Image.fromarray(scaled(white, "u2")), "PNG")), GREY) < 0.15


def test_a_white_that_was_concluded_is_told():
    notes = []
    open_photograph(tiff(scaled(4095, "u2")), tell=notes.append)
    assert notes == ["its 16-bit greys end at 3,967: 4,095 is taken for white"]
    open_photograph(tiff(scaled(65535, "u2")), tell=notes.append)
    assert len(notes) == 1


def test_pgm_has_its_own_white():
    values = scaled(1000, "u2")
    content = b"P5 240 40 1000\n" + values.astype(">u2").tobytes()
    assert lightness_off(opened(content), GREY) < 0.15
    dark = b"P5 240 40 65535\n" + scaled(3000, "u2").astype(">u2").tobytes()
    assert lightness_off(opened(dark), Image.fromarray((scaled(3000, "u2") / 257).astype(np.uint8))) < 0.5


def test_one_transparent_grey_of_a_sixteen_bit_png_lies_on_white():
    values = scaled(65535, "u2")
    content = with_chunks(
        encoded(Image.fromarray(values), "PNG"), png_chunk(b"tRNS", int(values[0, 0]).to_bytes(2, "big"))
    )
    image = np.asarray(opened(content))
    assert (image[:, 0] == 255).all()
    assert (image[:, 1] < 20).all()


def test_overshoot_of_resampling_is_clipped():
    values = scaled(1, "f4")
    values[0, 0], values[0, 1] = -0.05, 1.08
    image = np.asarray(opened(tiff(values)))
    assert image[0, 0, 0] == 0
    assert image[0, 1, 0] == 255


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.where(SHARE > 0.9, np.nan, SHARE).astype("f4"), "of its pixels are not finite numbers (NaN or infinity)"),
        (np.where(SHARE > 0.9, np.inf, SHARE).astype("f4"), "of its pixels are not finite numbers (NaN or infinity)"),
        (scaled(1, "f4", -1), "begin at -0.9373, and where black lies below 0 is not known"),
        (scaled(5, "f4"), "end at 4.843, and what is white is not known (1, 255 and 65,535 are usual)"),
        (scaled(1e6, "f4"), "what is white is not known"),
        (scaled(32767, "i2", -32768), "where black lies below 0 is not known"),
        (scaled(127, "i1", -128), "where black lies below 0 is not known"),
        (scaled(300_000, "u4"), "its 32-bit greys end at 290,588, and what is white is not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_refused_with_the_reason(values, words):
    assert words in refusal(tiff(values))


@pytest.mark.parametrize("values", [scaled(1, "f2"), np.stack([scaled(1, "f4")] * 3, axis=-1)], ids=["half", "rgb"])
def test_layouts_that_are_not_read_are_described(values):
    message = refusal(tiff(values, photometric="rgb" if values.ndim == 3 else "minisblack"))
    assert "a TIFF whose pixels are stored in a way that is not read" in message
    assert f"{8 * values.itemsize} bits, floating-point" in message
