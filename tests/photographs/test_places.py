import tracemalloc

import numpy as np
import pytest

from stages.photographs.places import Places

FIRST, SECOND = np.zeros((3, 1)), np.zeros((2, 1))
NAMES = [["tart/2", "soup/10", "tart/1"], ["crème/1", "a/b"]]


def test_each_image_is_given_its_row_once():
    places = Places(zip((FIRST, SECOND), NAMES, strict=True))
    assert len(places) == 5
    for array, images in zip((FIRST, SECOND), NAMES, strict=True):
        for row, image in enumerate(images):
            place = places.take(image)
            assert place[0] is array and place[1] == row
            assert places.take(image) is None
    assert places.left() == []


@pytest.mark.parametrize("image", ["tart/", "tart/22", "zebra/1", "", "a/b" * 1000, "a\udce9/1", "crème"])
def test_other_images_have_no_place(image):
    places = Places([(FIRST, NAMES[0]), (SECOND, NAMES[1])])
    assert places.take(image) is None
    assert places.left() == sorted(NAMES[0] + NAMES[1])


def test_of_no_images_there_is_nothing_to_take():
    for places in (Places([]), Places([(FIRST[:0], [])])):
        assert len(places) == 0 and places.take("tart/1") is None and places.left() == []


def test_an_image_takes_tens_of_bytes():
    """A dict of tuples takes 200 to 300 bytes beside the name: gigabytes of ten million photographs."""
    images = [f"chocolate_mousse/{number}" for number in range(50_000)]
    tracemalloc.start()
    places = Places([(FIRST, images)])
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(places) == len(images)
    assert kept / len(images) < 60
    assert peak / len(images) < 250
