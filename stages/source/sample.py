"""The built-in data set: drawn dishes packed in Food-101's archive layout."""

import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from stages.runtime.files import whole_file
from stages.source.dishes import DISHES, Dish
from stages.source.drawing import draw_dish

JPEG_QUALITY = 88


def draw_sample(
    path: str | Path, seed: int, *, train: int = 75, test: int = 75, dishes: Sequence[Dish] = DISHES
) -> None:
    """Write an archive of drawn dishes, in the layout of food-101.tar.gz, to `path`.

    By default 12 classes of 75 training and 75 test images, about 6 MB. Test images are many, as they cost little and
    narrow every interval. The bytes depend on the seed and on the versions of NumPy, Pillow and zlib alone; an image
    depends on the seed, the name of its class, its number and the number of images of a class.

    Args:
        path: of the archive.
        seed: of all drawing.
        train, test: images of a class.
        dishes: one class each.
    """
    files: dict[str, bytes] = {}
    lists: dict[str, dict[str, list[str]]] = {"train": {}, "test": {}}
    for dish in tqdm(sorted(dishes, key=lambda dish: dish.name), "drawing", unit="class", disable=None):
        draw = np.random.default_rng([seed, zlib.crc32(dish.name.encode())])
        ids = draw.choice(np.arange(1_000, 4_000_000), train + test, replace=False)
        images = [f"{dish.name}/{id_}" for id_ in ids]
        for image, rng in zip(images, draw.spawn(train + test), strict=True):
            files[f"images/{image}.jpg"] = _jpeg(draw_dish(dish, rng))
        lists["test"][dish.name] = sorted(images[:test])
        lists["train"][dish.name] = sorted(images[test:])

    names = list(lists["train"])
    files["meta/classes.txt"] = _lines(names)
    files["meta/labels.txt"] = _lines(name.replace("_", " ").capitalize() for name in names)
    for part, images in lists.items():
        files[f"meta/{part}.txt"] = _lines(image for each in images.values() for image in each)
        files[f"meta/{part}.json"] = json.dumps(images).encode()
    with whole_file(path) as temporary:
        _pack(temporary, files)


def _pack(path: Path, files: dict[str, bytes]) -> None:
    # JPEG data does not compress further, so level 1. No file name and no time in the gzip header.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(f"food-101/{name}")
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))


def _jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _lines(values) -> bytes:
    return "".join(f"{value}\n" for value in values).encode()
