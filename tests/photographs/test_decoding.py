import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.color import rgb2lab

from stages.color.lab import decode_lab8
from stages.photographs.decoding import photograph_to_lab8

# Smooth, so that JPEG keeps it; each quarter another colour, so that a turn shows.
QUARTERS = np.zeros((96, 64, 3), dtype=np.uint8)
QUARTERS[:48, :32], QUARTERS[:48, 32:] = (200, 60, 50), (60, 160, 80)
QUARTERS[48:, :32], QUARTERS[48:, 32:] = (50, 70, 190), (220, 210, 90)


def encoded(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0} | options
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def centres(lab8):
    """Mean Lab in the middle of each quarter."""
    lab = decode_lab8(lab8)
    size = lab.shape[-1]
    near, far = slice(size // 8, size * 3 // 8), slice(size * 5 // 8, size * 7 // 8)
    return np.array([lab[:, y, x].mean(axis=(1, 2)) for y in (near, far) for x in (near, far)])


COLORS = rgb2lab(QUARTERS[[24, 24, 72, 72], [16, 48, 16, 48]] / 255)


def test_a_photograph_keeps_its_colors():
    lab8 = photograph_to_lab8(encoded(Image.fromarray(QUARTERS)), 32, "squash")
    assert lab8.shape == (3, 32, 32)
    assert lab8.dtype == np.uint8
    assert np.abs(centres(lab8) - COLORS).max() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    # The stored pixels are what a camera held that way would store.
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    turned = Image.fromarray(QUARTERS)
    turned.getexif()[0x0112] = undo
    stored = ImageOps.exif_transpose(turned)
    lab8 = photograph_to_lab8(encoded(stored, exif=exif), 32, "squash")
    assert np.abs(centres(lab8) - COLORS).max() < 3


def test_greyscale_has_no_color():
    lab = decode_lab8(photograph_to_lab8(encoded(Image.fromarray(QUARTERS).convert("L")), 32, "crop"))
    assert np.abs(lab[1:]).max() <= 1
    assert lab[0].std() > 3


def test_cmyk_is_not_inverted():
    lab8 = photograph_to_lab8(encoded(Image.fromarray(QUARTERS).convert("CMYK")), 32, "squash")
    assert np.abs(centres(lab8) - COLORS).max() < 4


def test_sixteen_bit_grey_is_scaled():
    grey = Image.fromarray(np.full((40, 40), 128 * 257, dtype=np.uint16))
    lab = decode_lab8(photograph_to_lab8(encoded(grey, "PNG"), 32, "crop"))
    assert np.abs(lab[0] - rgb2lab(np.full((1, 1, 3), 128 / 255))[0, 0, 0]).max() < 0.5


def test_transparency_lies_on_white():
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert decode_lab8(photograph_to_lab8(encoded(clear, "PNG"), 32, "crop"))[0].min() == 100


def test_crop_takes_the_middle_and_squash_the_whole():
    wide = np.zeros((64, 192, 3), dtype=np.uint8)
    wide[:, 64:128] = 255
    crop = decode_lab8(photograph_to_lab8(encoded(Image.fromarray(wide)), 32, "crop"))[0]
    squash = decode_lab8(photograph_to_lab8(encoded(Image.fromarray(wide)), 32, "squash"))[0]
    assert crop[:, 2:-2].min() > 98
    assert squash[:, :8].max() < 5
    assert 45 < (squash > 50).mean() * 100 * 1.5 < 55


def test_scaled_decoding_stays_close_to_full_decoding():
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    large = coarse.resize((512, 512), Image.Resampling.BICUBIC)
    scaled = photograph_to_lab8(encoded(large), 64, "crop").astype(int)
    whole = photograph_to_lab8(encoded(large, "PNG"), 64, "crop").astype(int)
    assert np.abs(scaled - whole).mean() < 1.5


@pytest.mark.parametrize("content", [b"", b"<html>", encoded(Image.fromarray(QUARTERS))[:300]])
def test_what_cannot_be_decoded_is_a_value_error(content):
    with pytest.raises(ValueError):
        photograph_to_lab8(content, 32, "crop")
