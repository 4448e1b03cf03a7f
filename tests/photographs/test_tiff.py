"""Several pages in a TIFF: a camera's raw file is no photograph of the size of its thumbnail."""

import io

import numpy as np
import pytest
import tifffile

from stages.photographs.decoding import open_photograph
from tests.photographs.pictures import PHOTOGRAPH, encoded, lightness_off

THUMBNAIL = np.asarray(PHOTOGRAPH.resize((40, 30)))
FULL = np.asarray(PHOTOGRAPH)
MAKE, SUBFILE_TYPE, OLD_SUBFILE_TYPE, DNG_VERSION = 271, 254, 255, 50706
REDUCED = 1


def pages(*images: dict, tail: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for image in images:
            writer.write(**({"metadata": None, "photometric": "rgb"} | image))
    return buffer.getvalue() + tail


def refusal(content: bytes) -> str:
    with pytest.raises(ValueError) as error:
        open_photograph(content)
    return str(error.value)


def raw(**first) -> bytes:
    """As cameras write them: a thumbnail, and below it what the sensor saw."""
    sensor = np.zeros((120, 160), dtype=np.uint16)
    return pages(
        {"data": THUMBNAIL, "subfiletype": REDUCED, "subifds": 1} | first,
        {"data": sensor, "photometric": "cfa", "subfiletype": 0},
    )


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_the_page_after_a_thumbnail_is_taken(compression):
    content = pages({"data": THUMBNAIL, "subfiletype": REDUCED}, {"data": FULL, "compression": compression})
    image = open_photograph(content)
    assert image.size == (160, 120)
    assert lightness_off(image, PHOTOGRAPH) == 0


def test_thumbnails_after_the_photograph_do_not_matter():
    content = pages({"data": FULL}, {"data": THUMBNAIL, "subfiletype": REDUCED})
    assert open_photograph(content).size == (160, 120)


def test_the_orientation_of_the_page_that_is_taken_counts():
    turned = [(274, 3, 1, 6, True)]
    content = pages({"data": THUMBNAIL, "subfiletype": REDUCED}, {"data": FULL, "extratags": turned})
    assert open_photograph(content).size == (120, 160)
    content = pages({"data": THUMBNAIL, "subfiletype": REDUCED, "extratags": turned}, {"data": FULL})
    assert open_photograph(content).size == (160, 120)


def test_camera_raw_is_refused_by_name_and_not_painted_as_its_thumbnail():
    make = [(MAKE, 2, 0, "NIKON CORPORATION", True)]
    assert "camera RAW (of NIKON CORPORATION)" in refusal(raw(extratags=make))
    assert "camera RAW (DNG)" in refusal(raw(extratags=[(DNG_VERSION, 1, 4, b"\1\4\0\0", True)]))
    assert "camera RAW (of an unnamed camera)" in refusal(raw())
    assert "camera RAW (DNG)" in refusal(pages({"data": FULL, "extratags": [(DNG_VERSION, 1, 4, b"\1\4\0\0", True)]}))
    for word in ("develop it first", "RawTherapee", "darktable-cli"):
        assert word in refusal(raw())


def test_a_sensors_picture_on_the_first_page_is_camera_raw_too():
    sensor = np.zeros((120, 160), dtype=np.uint16)
    assert "camera RAW" in refusal(pages({"data": sensor, "photometric": "cfa"}))


def test_a_lone_thumbnail_is_told_by_its_size():
    content = pages({"data": THUMBNAIL, "subfiletype": REDUCED})
    assert "only a thumbnail of 40 x 30 can be read" in refusal(content)


def test_old_tags_of_thumbnails_are_known():
    old = [(OLD_SUBFILE_TYPE, 3, 1, 2, True)]
    image = open_photograph(pages({"data": THUMBNAIL, "extratags": old}, {"data": FULL}))
    assert image.size == (160, 120)


def test_an_ordinary_tiff_is_read():
    assert lightness_off(open_photograph(encoded(PHOTOGRAPH, "TIFF")), PHOTOGRAPH) == 0
