"""Which way up: boxes of the upright photograph and of the stored one, and broken metadata."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from stages.photographs.decoding import open_photograph
from stages.photographs.orientation import stored_box, turn_upright, upright_size
from tests.photographs.pictures import PHOTOGRAPH, encoded

ORIENTATION = 274


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_of_the_upright_photograph_is_found_in_the_stored_one(orientation):
    stored = Image.fromarray(np.arange(5 * 7, dtype=np.uint8).reshape(5, 7))
    upright = turn_upright(stored, orientation)
    assert upright.size == upright_size(stored.size, orientation)
    box = (1, 2, 3, 5)
    part = turn_upright(stored.crop(stored_box(box, stored.size, orientation)), orientation)
    assert np.array_equal(np.asarray(part), np.asarray(upright.crop(box)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_formats_are_turned_as_pillow_does_it(orientation, kind):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    small = PHOTOGRAPH.crop((0, 0, 48, 32))
    content = encoded(small, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    turned = small.copy()
    turned.getexif()[ORIENTATION] = orientation
    right = ImageOps.exif_transpose(turned)
    image = open_photograph(content)
    assert image.size == right.size
    assert np.abs(np.asarray(image, int) - np.asarray(right)).mean() < 8


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_none_leaves_the_photograph_as_it_is(value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    image = open_photograph(encoded(PHOTOGRAPH, "PNG", exif=exif))
    assert np.array_equal(np.asarray(image), np.asarray(PHOTOGRAPH))
