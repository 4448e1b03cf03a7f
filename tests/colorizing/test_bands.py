import io

import numpy as np
import pytest
from PIL import Image

from stages.colorizing import bands
from stages.colorizing.bands import Spooled, Whole, band_boxes, shrink


def smooth(width: int, height: int) -> Image.Image:
    coarse = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7), (64, 64)])
@pytest.mark.parametrize("multiple", [1, 3, 50])
def test_bands_cover_each_row_once(monkeypatch, size, multiple):
    monkeypatch.setattr(bands, "BAND_PIXELS", 150)
    boxes = list(band_boxes(size, multiple))
    assert [box[1] for box in boxes] == [0, *(box[3] for box in boxes[:-1])]
    assert boxes[-1][3] == size[1]
    assert all((left, right) == (0, size[0]) for left, _, right, _ in boxes)
    assert all(top % multiple == 0 for _, top, _, _ in boxes)


@pytest.mark.parametrize("size", [(700, 500), (500, 703), (101, 67), (2000, 40)])
def test_shrinking_in_bands_is_as_good_as_the_filter_alone(monkeypatch, size):
    monkeypatch.setattr(bands, "BAND_PIXELS", 5000)
    photograph = smooth(*size)
    right = photograph.resize((32, 24), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(shrink(Whole(photograph), (32, 24)), int) - np.asarray(right)).mean() < 1


def test_spooled_pixels_are_those_of_the_photograph():
    photograph = smooth(50, 30)
    spooled = Spooled(Whole(photograph), io.BytesIO())
    assert spooled.size == (50, 30)
    assert np.array_equal(np.asarray(spooled.rgb()), np.asarray(photograph))
    assert np.array_equal(np.asarray(spooled.rgb((0, 7, 50, 9))), np.asarray(photograph)[7:9])
