"""Hugging Face's shards give the names and photographs of the authors' archive."""

import builtins
import os

import pytest

from stages.food101.archive import Meta, iterate_images, read_meta
from stages.food101.sources import parquet
from stages.food101.sources.class_names import CLASS_NAMES
from stages.runtime.errors import StageError
from tests.archives import write_shards
from tests.food101.test_archive import IMAGES, META

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
FILES = META | IMAGES


def test_gives_the_names_of_the_archive(tmp_path):
    write_shards(FILES, tmp_path)
    meta = read_meta(tmp_path)
    assert meta.classes == ["pie", "soup"]
    assert {label: sorted(images) for label, images in meta.train.items()} == {
        "pie": ["pie/1", "pie/2"],
        "soup": ["soup/3"],
    }
    assert meta.test == {"pie": ["pie/4"], "soup": ["soup/5"]}
    assert dict(iterate_images(tmp_path)) == {name[7:-4]: content for name, content in IMAGES.items()}


@pytest.mark.parametrize(
    "places",
    [
        {"data/train-00000-of-00001.parquet": "train", "data/validation-00000-of-00001.parquet": "validation"},
        {"default/train/0000.parquet": "train", "default/validation/0000.parquet": "validation"},
        {"train.parquet": "train", "test-00000-of-00001-1ea719ce4ab57b2b.parquet": "validation"},
    ],
    ids=["a clone", "converted by Hugging Face", "other names"],
)
def test_finds_the_split_in_the_name_or_the_folder(tmp_path, places):
    shards = write_shards(FILES, tmp_path / "shards", count=1)
    for place, split in places.items():
        (tmp_path / "copy" / place).parent.mkdir(parents=True, exist_ok=True)
        (shards / f"{split}-00000-of-00001.parquet").rename(tmp_path / "copy" / place)
    assert {name for images in read_meta(tmp_path / "copy").test.values() for name in images} == {"pie/4", "soup/5"}


def test_links_of_hugging_faces_cache_are_followed(tmp_path):
    for shard in write_shards(FILES, tmp_path / "blobs").iterdir():
        (tmp_path / "snapshot").mkdir(exist_ok=True)
        (tmp_path / "snapshot" / shard.name).symlink_to(shard.rename(shard.with_suffix("")))
    assert read_meta(tmp_path / "snapshot") == read_meta(tmp_path / "snapshot")
    assert len(list(iterate_images(tmp_path / "snapshot"))) == len(IMAGES)


def test_rows_without_a_path_are_numbered(tmp_path):
    write_shards(FILES, tmp_path, paths=False)
    meta, images = read_meta(tmp_path), dict(iterate_images(tmp_path))
    listed = {name for part in (meta.train, meta.test) for names in part.values() for name in names}
    assert listed == images.keys() and len(images) == len(IMAGES)
    assert sorted(images.values()) == sorted(IMAGES.values())


def test_numbers_alone_are_the_authors_order_of_classes(tmp_path):
    """Which is not sorted: cheesecake before cheese_plate."""
    files = {"meta/classes.txt": "\n".join(CLASS_NAMES).encode()}
    for part, number in (("train", 1), ("test", 2)):
        names = [f"{label}/{number}" for label in ("cheesecake", "cheese_plate")]
        files[f"meta/{part}.txt"] = "\n".join(names).encode()
        files |= {f"images/{name}.jpg": name.encode() for name in names}
    write_shards(files, tmp_path, described=False)
    assert dict(iterate_images(tmp_path)) == {
        name: name.encode() for name in ("cheesecake/1", "cheese_plate/1", "cheesecake/2", "cheese_plate/2")
    }
    assert CLASS_NAMES[16:18] == ["cheesecake", "cheese_plate"] and len(CLASS_NAMES) == 101


def test_labels_may_be_names(tmp_path):
    rows = [{"image": {"bytes": b"x", "path": "1.jpg"}, "label": label} for label in ("pie", "soup")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    for row in rows:
        row["image"]["path"] = "2.jpg"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "test.parquet")
    assert read_meta(tmp_path) == Meta(
        ["pie", "soup"], {"pie": ["pie/1"], "soup": ["soup/1"]}, {"pie": ["pie/2"], "soup": ["soup/2"]}
    )


def shard(folder, number=0):
    return sorted(folder.glob("train-*.parquet"))[number]


def rewrite(folder, **columns):
    table = pq.read_table(shard(folder))
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, [values])
    pq.write_table(table, shard(folder))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: shard(folder).unlink(), "lacks train-00000-of-00002.parquet: fetch all shards"),
        (lambda folder: [path.unlink() for path in folder.glob("val*")], "has shards of train; accepted: train-"),
        (lambda folder: shard(folder).rename(folder / "0.parquet"), "names no split"),
        (lambda folder: shard(folder).write_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
        (lambda folder: shard(folder).write_bytes(b"<html>"), "not a Parquet file: it begins with b'<html>'"),
        (lambda folder: os.truncate(shard(folder), 300), "train-00000.*not a whole Parquet file"),
        (lambda folder: rewrite(folder, label=pa.array([0, 7])), "row 1: the label is 7; accepted: 0 to 1"),
        (lambda folder: rewrite(folder, label=pa.array([0, None])), "row 1: the label is None"),
        (
            lambda folder: rewrite(folder, image=pa.array([b"a", b"b"])),
            "lacks the columns image.path.*got image, label",
        ),
        (
            lambda folder: rewrite(folder, image=pa.array([{"bytes": b"a", "path": "1.jpg"}, None])),
            "row 1.*no bytes",
        ),
    ],
    ids=["a shard", "a split", "no split", "Git LFS", "page", "cut", "label", "no label", "columns", "no bytes"],
)
def test_what_is_wrong_is_named(tmp_path, damage, words):
    damage(write_shards(FILES, tmp_path))
    with pytest.raises(StageError, match=words):
        read_meta(tmp_path)
        list(iterate_images(tmp_path))


def test_a_photograph_of_any_size_is_refused(tmp_path, monkeypatch):
    write_shards(FILES, tmp_path)
    monkeypatch.setattr("stages.food101.layout.LARGEST_MEMBER", 100)
    with pytest.raises(StageError, match="pie/1 has 2,500 bytes; accepted: at most 100"):
        list(iterate_images(tmp_path))


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    write_shards(FILES, tmp_path)
    real = builtins.__import__

    def without(name, *args):
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StageError, match=r"need pyarrow: `pip install -c constraints\.txt pyarrow`"):
        read_meta(tmp_path)


def test_no_more_rows_than_a_batch_are_asked_for_at_once(tmp_path, monkeypatch):
    write_shards(FILES, tmp_path)
    asked, real = [], pq.ParquetFile.iter_batches

    def iter_batches(self, size, **options):
        asked.append(size)
        return real(self, size, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
    list(iterate_images(tmp_path))
    assert set(asked) == {parquet.ROWS}
