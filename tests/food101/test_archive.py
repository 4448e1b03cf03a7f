"""The archive is read in one pass, wherever its files lie, and what is wrong with it is said."""

import gzip
import tarfile
import tracemalloc

import pytest

from stages.food101.archive import Meta, iterate_images, read_meta
from stages.runtime.errors import StageError
from tests.archives import packed

META = {
    "meta/classes.txt": b"pie\nsoup\n",
    "meta/train.txt": b"pie/1\npie/2\nsoup/3\n",
    "meta/test.txt": b"pie/4\nsoup/5\n",
}
NAMES = ("pie/1", "pie/2", "soup/3", "pie/4", "soup/5")
IMAGES = {f"images/{name}.jpg": name.encode() * 500 for name in NAMES}


def pack(path, files, top="food-101/", members=()):
    path.write_bytes(packed(files, top, members))
    return path


def link(name, kind):
    member = tarfile.TarInfo(f"food-101/{name}")
    member.type, member.linkname = kind, "/etc/passwd"
    return member


@pytest.fixture
def path(tmp_path):
    return tmp_path / "food-101.tar.gz"


@pytest.mark.parametrize("top", ["food-101/", "./food-101/", "other/", "./", "", "a/b/"])
@pytest.mark.parametrize("files", [META | IMAGES, IMAGES | META], ids=["meta first", "meta last"])
def test_reads_any_top_folder(path, top, files):
    pack(path, files, top)
    meta = read_meta(path)
    assert meta == Meta(
        ["pie", "soup"],
        {"pie": ["pie/1", "pie/2"], "soup": ["soup/3"]},
        {"pie": ["pie/4"], "soup": ["soup/5"]},
    )
    assert dict(iterate_images(path)) == {name[7:-4]: content for name, content in IMAGES.items()}


def test_reads_windows_text(path):
    pack(path, {name: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n") for name, text in META.items()})
    assert read_meta(path).train["pie"] == ["pie/1", "pie/2"]


def test_passes_over_what_is_no_image(path):
    files = IMAGES | {
        "images/pie/._1.jpg": b"macOS",
        "images/pie/notes.txt": b"",
        "other/pie/7.jpg": b"",
        "images/8.jpg": b"",
    }
    links = [link(f"images/pie/link{kind.decode()}.jpg", kind) for kind in (tarfile.SYMTYPE, tarfile.DIRTYPE)]
    pack(path, files, members=links)
    assert len(list(iterate_images(path))) == len(IMAGES)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"meta/test.txt": None}, "lacks meta/test.txt"),
        ({"meta/test.txt": b"pie/1\nsoup/5\n"}, r"pie/1 is listed in both train.txt and test.txt"),
        ({"meta/train.txt": b"pie/1\npie/1\nsoup/3\n"}, r"pie/1 is listed twice in train.txt"),
        ({"meta/train.txt": b"pie/1\ncake/3\nsoup/3\n"}, r"train.txt lists 'cake/3'"),
        ({"meta/train.txt": b"pie/1\nsoup/\n"}, r"lists 'soup/'"),
        ({"meta/train.txt": b"pie/1\n"}, r"train.txt lists no image of soup"),
        ({"meta/test.txt": b"soup/5\n"}, r"test.txt lists no image of pie"),
        ({"meta/classes.txt": b"pie\nsoup\npie\n"}, "lists pie twice"),
        ({"meta/classes.txt": b"\xff\xfe"}, r"meta/classes.txt is not UTF-8"),
    ],
)
def test_refuses_wrong_lists(path, changes, message):
    pack(path, {name: text for name, text in (META | changes).items() if text is not None})
    with pytest.raises(StageError, match=message) as caught:
        read_meta(path)
    assert "food-101.tar.gz" in str(caught.value)


def test_refuses_an_image_that_occurs_twice(path):
    files = {**IMAGES, "./images/pie/1.jpg": b"again", "./images/soup/3.jpg": b"again"}
    pack(path, files)
    with pytest.raises(StageError, match=r"food-101/\./images/pie/1.jpg occurs twice"):
        list(iterate_images(path))


def test_an_image_that_was_passed_takes_tens_of_bytes(path):
    """A set of names takes 150 bytes an image; ten million photographs are passed in one run."""
    pack(path, {f"images/chocolate_mousse/{number}.jpg": b"" for number in range(6000)})
    passed, first, last = iterate_images(path), 1000, 5999
    tracemalloc.start()
    for _ in range(first):
        next(passed)
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(last - first):
        next(passed)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(list(passed)) == 1
    assert (after - before) / (last - first) < 40


def read(path):
    list(iterate_images(path))
    read_meta(path)


def test_every_truncation_is_noticed(path):
    pack(path, IMAGES | META)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 30, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(StageError, match="not a whole gzipped tar"):
            read(path)


@pytest.mark.parametrize("content", [b"<html></html>", b"", gzip.compress(b"no tar" * 200, mtime=0)])
def test_refuses_what_is_no_archive(path, content):
    path.write_bytes(content)
    with pytest.raises(StageError, match=r"food-101.tar.gz is not a whole gzipped tar.*data.url"):
        read(path)


def test_damage_names_the_last_whole_member(path):
    pack(path, {f"images/pie/{i}.jpg": bytes(range(256)) * 40 for i in range(40)})
    with gzip.open(path) as packed:
        content = packed.read()
    path.write_bytes(gzip.compress(content, 0)[:200_000])
    with pytest.raises(StageError, match=r"after food-101/images/pie/\d+.jpg"):
        list(iterate_images(path))


def test_missing_archive(path):
    with pytest.raises(StageError, match=r"food-101.tar.gz is missing"):
        read_meta(path)
