"""An archive in Food-101's layout of any number of photographs, written as fast as the disk takes it."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from stages.food101.sources.class_names import CLASS_NAMES
from stages.source.dishes import DISHES
from stages.source.drawing import draw_dish

BLOCK = 512  # bytes; a member of a tar archive fills whole blocks
SIDES = (48, 40)
DISTINCT = 256  # photographs that are drawn; the others repeat their bytes under names of their own


def write_synthetic_archive(path: Path, count: int) -> None:
    """Pack `count` JPEG files of 48 x 40 px, of 101 classes, three quarters of each for training.

    The lists in meta/ come last, so that a stage that wants only these passes over all photographs.

    Args:
        path: of the .tar.gz.
        count: at least 404.
    """
    contents = [_padded(content) for content in _draw(DISTINCT)]
    lists: dict[str, list[str]] = {"train": [], "test": []}
    with gzip.open(path, "wb", compresslevel=1) as archive:
        for number, (image, subset) in enumerate(_names(count)):
            lists[subset].append(image)
            size, content = contents[number % DISTINCT]
            archive.write(_header(f"images/{image}.jpg", size) + content)
        for name, content in _meta(lists).items():
            size, padded = _padded(content)
            archive.write(_header(f"meta/{name}", size) + padded)
        archive.write(bytes(2 * BLOCK))


def _names(count: int) -> Iterator[tuple[str, str]]:
    """("class/id", `train` or `test`), class by class."""
    for number, label in enumerate(CLASS_NAMES):
        images = count // len(CLASS_NAMES) + (number < count % len(CLASS_NAMES))
        for image in range(images):
            yield f"{label}/{number * 10_000_000 + image}", "test" if image % 4 == 3 else "train"


def _meta(lists: dict[str, list[str]]) -> dict[str, bytes]:
    files = {"classes.txt": "\n".join(CLASS_NAMES)}
    files["labels.txt"] = "\n".join(name.replace("_", " ").capitalize() for name in CLASS_NAMES)
    for subset, images in lists.items():
        files[f"{subset}.txt"] = "\n".join(images)
        by_class = {label: [] for label in CLASS_NAMES}
        for image in images:
            by_class[image.partition("/")[0]].append(image)
        files[f"{subset}.json"] = json.dumps(by_class)
    return {name: text.encode() for name, text in files.items()}


def _draw(count: int) -> list[bytes]:
    rng, files = np.random.default_rng(0), []
    for number in range(count):
        file = io.BytesIO()
        dish = Image.fromarray(draw_dish(DISHES[number % len(DISHES)], rng))
        dish.resize(SIDES, Image.Resampling.BICUBIC).save(file, "JPEG", quality=80)
        files.append(file.getvalue())
    return files


def _padded(content: bytes) -> tuple[int, bytes]:
    return len(content), content + bytes(-len(content) % BLOCK)


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(f"food-101/{name}")
    member.size = size
    return member.tobuf(tarfile.USTAR_FORMAT)
