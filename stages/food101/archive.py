"""What the pipeline knows of Food-101, whichever way it came: its official split, and its photographs.

`download` leaves one of three forms in data/raw/, each read by a module of `stages.food101.sources`:

    food-101.tar.gz      as the authors publish it
    food-101.zip         Kaggle's, or packed by `download` from a folder that somebody unpacked
    *.parquet            Hugging Face's shards
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from types import ModuleType

import numpy as np

from stages.food101.layout import META_FILES
from stages.food101.sources import parquet, tar, zip
from stages.runtime.errors import StageError

DIGEST = 16  # bytes that stand for a name: of 2^64 names some two would share them
RAW = "data/raw"
ARCHIVE = f"{RAW}/{tar.NAME}"


@dataclass(frozen=True)
class Meta:
    """The official split: class directory names, and per class its images as "class/id"."""

    classes: list[str]
    train: dict[str, list[str]]
    test: dict[str, list[str]]


def find_archive(raw: str | Path = RAW) -> Path:
    """What `download` left: the archive, or `raw` itself where it holds shards.

    Raises:
        StageError: when there is nothing, or more than one form.
    """
    raw = Path(raw)
    archives = [raw / name for name in (tar.NAME, zip.NAME) if (raw / name).exists()]
    archives += [raw] if any(raw.glob("*.parquet")) else []
    if len(archives) == 1:
        return archives[0]
    if archives:
        raise StageError(f"{raw} holds Food-101 {len(archives)} times. Remove it and run `dvc repro download`.")
    raise StageError(f"{raw}/{tar.NAME} is missing. `dvc repro download` makes it.")


def read_meta(path: str | Path) -> Meta:
    """Read the official split: meta/classes.txt, train.txt and test.txt, or what the shards say.

    Args:
        path: an archive, or a folder of shards; see `find_archive`.

    Raises:
        StageError: when the archive is missing, broken or ends early, or lacks one of the files;
            when an image is listed twice or under a class that is not in classes.txt; when a class has no
            training or no test image.
    """
    path = Path(path)
    texts = {
        name: _decoded(content, f"{path}: meta/{name}") for name, content in _source(path).read_lists(path).items()
    }
    missing = [f"meta/{name}" for name in META_FILES if name not in texts]
    if missing:
        raise StageError(f"{path} lacks {', '.join(missing)}: it must be laid out as food-101.tar.gz is.")
    classes = _lines(texts["classes.txt"])
    repeated = {name for name in classes if classes.count(name) > 1}
    if repeated:
        raise StageError(f"{path}: meta/classes.txt lists {min(repeated)} twice.")
    where: dict[str, str] = {}
    train = _images_by_class(path, "train.txt", texts, classes, where)
    test = _images_by_class(path, "test.txt", texts, classes, where)
    return Meta(classes, train, test)


def iterate_images(path: str | Path) -> Iterator[tuple[str, bytes]]:
    """Yield ("class/id", the bytes of its file) of every photograph, in the archive's order.

    Args:
        path: an archive, or a folder of shards; see `find_archive`.

    Raises:
        StageError: when the archive is missing, broken or ends early, or holds one above LARGEST_MEMBER bytes; at its
            end, when it holds an image twice.
    """
    # A set of names would take ten times the memory of their digests.
    path, digests = Path(path), bytearray()
    for image, _, content in _source(path).iterate_photographs(path):
        digests += blake2b(image.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
        yield image, content
    if (number := _first_repeated(digests)) is not None:
        _, place, _ = next(islice(_source(path).iterate_photographs(path), number, None))
        raise StageError(f"{path}: {place} occurs twice.")


def _first_repeated(digests: bytearray) -> int | None:
    """The number of the first digest that equals one before it, or None."""
    halves = np.frombuffer(digests, np.uint64).reshape(-1, 2)
    order = np.lexsort(halves.T)  # stable: of equals the first stays the first
    repeated = order[1:][(halves[order[1:]] == halves[order[:-1]]).all(axis=1)]
    return int(repeated.min()) if len(repeated) else None


def _source(path: Path) -> ModuleType:
    """The module that reads `path`. What is neither .zip nor shards is opened as a tar, which refuses other formats."""
    if path.is_dir():
        return parquet
    try:
        with path.open("rb") as file:
            return zip if file.read(len(zip.MAGIC)) == zip.MAGIC else tar
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro download` makes it.") from None


def _images_by_class(path, name, texts, classes, where: dict[str, str]) -> dict[str, list[str]]:
    """Group the lines of train.txt or test.txt; `where` remembers which file listed each image."""
    images: dict[str, list[str]] = {label: [] for label in classes}
    for image in _lines(texts[name]):
        label, slash, id_ = image.partition("/")
        if label not in images or not slash or not id_ or "/" in id_:
            raise StageError(
                f"{path}: meta/{name} lists {image!r}; accepted: <class>/<id>, the class in meta/classes.txt."
            )
        if image in where:
            twice = f"twice in {name}" if where[image] == name else f"in both {where[image]} and {name}"
            raise StageError(f"{path}: {image} is listed {twice} of meta/; accepted: once, in one of them.")
        where[image] = name
        images[label].append(image)
    empty = [label for label in classes if not images[label]]
    if empty:
        raise StageError(f"{path}: meta/{name} lists no image of {', '.join(empty[:5])}.")
    return images


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _decoded(content: bytes, place: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StageError(f"{place} is not UTF-8 text: {error}") from None
