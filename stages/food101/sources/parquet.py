"""Hugging Face's shards (`ethz/food101`): photographs and labels as two columns of a few large files.

    image    struct of bytes (the photograph's file) and path (its name, or null)
    label    index into the names of the classes, or a name

The shards of `train` hold the official training images, those of `validation` (or `test`) the official test images. The
lists of meta/ follow from the labels and the paths, so that the same photographs have the same names as in the
authors' archive. A row without a path is named by its split and its number.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stages.food101 import layout
from stages.food101.sources.class_names import CLASS_NAMES
from stages.runtime.errors import StageError

if TYPE_CHECKING:
    from pyarrow import BinaryScalar
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
LISTS = {"train": "train.txt", "validation": "test.txt", "test": "test.txt"}
ROWS = 16  # that are in memory at once
BUFFER = 1 << 20  # bytes of a shard that are read ahead, in place of a whole row group
GIT_LFS = b"version https://git-lfs"


def split_of(shard: Path) -> str | None:
    """The split that a shard holds, by its name or its folder's, None if neither says.

    >>> split_of(Path("data/train-00000-of-00008.parquet")), split_of(Path("default/validation/0000.parquet"))
    ('train', 'validation')
    """
    match = re.match(r"(train|validation|test)(?![a-z])", shard.name)
    if match:
        return match[1]
    return shard.parent.name if shard.parent.name in LISTS else None


def find_shards(folder: Path) -> list[Path]:
    """All shards at or below `folder`, training images first, sorted.

    Raises:
        StageError: when a shard is missing by the count in the others' names, is of no known split or no Parquet file;
            when there are none of training or of test images, or of two kinds of test images.
    """
    shards = sorted(folder.rglob("*.parquet"), key=lambda shard: (split_of(shard) or "", str(shard)))
    splits = {split_of(shard): shard for shard in shards}
    if None in splits:
        raise StageError(f"{splits[None]} names no split; accepted: train-*, validation-* or test-*.parquet.")
    if "train" not in splits or len(splits) != 2:
        raise StageError(
            f"{folder} has shards of {', '.join(splits) or 'nothing'}; accepted: train-*.parquet and "
            "validation-*.parquet (or test-*.parquet), all of Food-101's."
        )
    names = {shard.name for shard in shards}
    for shard in shards:
        if numbered := re.fullmatch(r"(.*-)(\d+)-of-(\d+)(-\w+)?\.parquet", shard.name):
            prefix, width, count = numbered[1], len(numbered[2]), int(numbered[3])
            for number in range(min(count, 10_000)):
                start = f"{prefix}{number:0{width}}-of-{numbered[3]}"
                if not any(name.startswith(start) for name in names):
                    raise StageError(f"{folder} lacks {start}.parquet: fetch all shards, then run this again.")
    for shard in shards:
        with shard.open("rb") as file:
            start = file.read(len(GIT_LFS))
        if start == GIT_LFS:
            raise StageError(f"{shard} is a pointer of Git LFS, not the shard itself: run `git lfs pull` there.")
        if not start.startswith(MAGIC):
            raise StageError(f"{shard} is not a Parquet file: it begins with {start[:16]!r}.")
    return shards


def read_lists(path: Path) -> dict[str, bytes]:
    """The lists of meta/ as the labels and paths imply them; no photograph is read."""
    lists: dict[str, list[str]] = {"train.txt": [], "test.txt": []}
    labels = {}  # in the order of their first image
    for shard in find_shards(path):
        for _, image, _ in _rows(shard, ["label", "image.path"]):
            lists[LISTS[split_of(shard)]].append(image)
            labels[image.partition("/")[0]] = True
    lists["classes.txt"] = sorted(labels)
    return {name: "\n".join(lines).encode() for name, lines in lists.items()}


def iterate_photographs(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield ("class/id", shard and row, bytes), shard by shard."""
    for shard in find_shards(path):
        for row, image, content in _rows(shard, ["label", "image.path", "image.bytes"]):
            place = f"{image} ({shard.name}, row {row})"
            if content is None:
                raise StageError(f"{path}: {place} has no bytes: the shards must hold the photographs themselves.")
            yield image, place, content


def _rows(shard: Path, columns: list[str]) -> Iterator[tuple[int, str, bytes | None]]:
    """Yield (row, "class/id", bytes or None) of a shard, a few rows in memory at a time."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise StageError(
            f"{shard.parent} holds Parquet files, which need pyarrow: `pip install -c constraints.txt pyarrow`, or set "
            "data.url to Food-101 as an archive."
        ) from None
    try:
        with pq.ParquetFile(shard, buffer_size=BUFFER) as file:
            names, row = _check_columns(shard, file, columns), 0
            for batch in file.iter_batches(ROWS, columns=columns):
                labels, images = batch.column("label").to_pylist(), batch.column("image")
                paths = images.field("path").to_pylist()
                contents = images.field("bytes") if "image.bytes" in columns else [None] * len(labels)
                for label, path, content in zip(labels, paths, contents, strict=True):
                    image = f"{_class_name(shard, row, label, names)}/{_id(shard, row, path)}"
                    yield row, image, _content(shard, image, content)
                    row += 1
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise StageError(
            f"{shard} is not a whole Parquet file: {reason}. Remove it and run `dvc repro download`, or correct "
            "data.url."
        ) from None


def _check_columns(shard: Path, file: "ParquetFile", columns: list[str]) -> list[str]:
    """Names of the classes, as Hugging Face's metadata gives them; refuse a shard without the columns."""
    names = [file.schema.column(number).path for number in range(len(file.schema))]
    missing = [column for column in columns if column not in names]
    if missing:
        raise StageError(f"{shard} lacks the columns {', '.join(missing)}; got {', '.join(names)}.")
    try:
        described = json.loads((file.schema_arrow.metadata or {})[b"huggingface"])
        return [str(name) for name in described["info"]["features"]["label"]["names"]]
    except (LookupError, TypeError, ValueError):
        return CLASS_NAMES


def _class_name(shard: Path, row: int, label: int | str | None, names: list[str]) -> str:
    if isinstance(label, str):
        return label
    if not isinstance(label, int) or not 0 <= label < len(names):
        raise StageError(f"{shard}, row {row}: the label is {label!r}; accepted: 0 to {len(names) - 1}, or a name.")
    return names[label]


def _id(shard: Path, row: int, path: str | None) -> str:
    return PurePosixPath(path).stem if path else f"{shard.stem}-{row:06d}"


def _content(shard: Path, image: str, content: "BinaryScalar | None") -> bytes | None:
    if content is None or not content.is_valid:
        return None
    layout.check_size(shard, image, content.as_buffer().size)
    return content.as_py()
