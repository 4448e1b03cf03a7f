"""The drawn data set: Food-101's layout, the same bytes from the same seed, pictures worth learning from."""

import hashlib
import io
import json
import re
import tarfile
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from stages.food101.archive import iterate_images, read_meta
from stages.source.dishes import DISHES
from stages.source.drawing import draw_dish
from stages.source.sample import draw_sample


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "raw" / "sample.tar.gz"
    draw_sample(path, seed=0, train=6, test=2)
    return path


def digest(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_same_seed_same_bytes(small, tmp_path):
    draw_sample(tmp_path / "again.tar.gz", seed=0, train=6, test=2)
    draw_sample(tmp_path / "other.tar.gz", seed=1, train=6, test=2)
    assert digest(tmp_path / "again.tar.gz") == digest(small)
    assert digest(tmp_path / "other.tar.gz") != digest(small)


def test_headers_hold_no_time_and_no_user(small):
    with tarfile.open(small) as archive:
        members = archive.getmembers()
    assert small.read_bytes()[4:8] == bytes(4)
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert [m.name for m in members] == sorted(m.name for m in members)


def test_an_image_does_not_depend_on_the_other_classes(small, tmp_path):
    draw_sample(tmp_path / "few.tar.gz", seed=0, train=6, test=2, dishes=DISHES[3:5])
    whole = dict(iterate_images(small))
    assert dict(iterate_images(tmp_path / "few.tar.gz")).items() <= whole.items()


def test_layout_is_food101s(small):
    meta = read_meta(small)
    assert meta.classes == sorted(dish.name for dish in DISHES)
    assert {len(images) for images in meta.train.values()} == {6}
    assert {len(images) for images in meta.test.values()} == {2}
    listed = [image for part in (meta.train, meta.test) for images in part.values() for image in images]
    assert sorted(listed) == sorted(image for image, _ in iterate_images(small))
    assert all(re.fullmatch(r"[a-z_]+/\d+", image) for image in listed)
    with tarfile.open(small) as archive:
        labels = archive.extractfile("food-101/meta/labels.txt").read().decode().splitlines()
        assert json.load(archive.extractfile("food-101/meta/train.json")) == meta.train
        assert json.load(archive.extractfile("food-101/meta/test.json")) == meta.test
    assert labels[0] == "Berry cheesecake" and len(labels) == len(meta.classes)


def test_images_are_jpegs_of_varied_shape(small):
    sizes = [Image.open(io.BytesIO(jpeg)).size for _, jpeg in iterate_images(small)]
    assert {max(size) for size in sizes} == {96}
    assert min(map(min, sizes)) >= 72 and len(set(sizes)) > 10


def test_neither_form_nor_preparation_tells_a_class():
    assert set(Counter(dish.form for dish in DISHES).values()) == {2}
    assert set(Counter(dish.preparation for dish in DISHES).values()) == {2}
    assert len({(dish.form, dish.preparation) for dish in DISHES}) == len(DISHES) == 12


@pytest.mark.parametrize("dish", DISHES, ids=lambda dish: dish.name)
def test_pictures_vary_and_have_colour(dish):
    pictures = [draw_dish(dish, np.random.default_rng(seed)) for seed in range(4)]
    for picture in pictures:
        assert picture.dtype == np.uint8 and picture.ndim == 3
        assert np.ptp(picture.astype(int), axis=2).mean() > 10 and picture.std() > 20
    assert len({picture.tobytes() for picture in pictures}) == 4
