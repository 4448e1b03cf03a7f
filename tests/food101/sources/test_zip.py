"""A .zip is read like the tar of the same files, with what Kaggle and Windows add to it."""

import stat
import zipfile
import zlib

import pytest

from stages.food101.archive import iterate_images, read_meta
from stages.runtime.errors import StageError
from tests.archives import packed, zipped
from tests.food101.test_archive import IMAGES, META


@pytest.fixture
def path(tmp_path):
    return tmp_path / "food-101.zip"


@pytest.fixture
def expected(tmp_path):
    tar = tmp_path / "food-101.tar.gz"
    tar.write_bytes(packed(META | IMAGES))
    return read_meta(tar), dict(iterate_images(tar))


KAGGLE = {
    "food_c101_n1000_r384x384x3.h5": b"\x89HDF",
    "meta/train.json": b"{}",
    "meta/test.json": b"{}",
    "meta/labels.txt": b"Pie\nSoup\n",
    "__MACOSX/images/pie/._1.jpg": b"",
    "images/pie/Thumbs.db": b"",
}


@pytest.mark.parametrize("top", ["food-101/", "", "food-101/food-101/", "food-101\\"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_reads_what_the_tar_holds_and_passes_over_the_rest(path, top, compression, expected):
    path.write_bytes(zipped(KAGGLE | IMAGES | META, top, compression))
    assert (read_meta(path), dict(iterate_images(path))) == expected


def test_the_lists_may_lie_a_folder_deeper(path, expected):
    """As in Kaggle's kmader/food41: meta/meta/classes.txt."""
    deeper = {f"meta/{name}": text for name, text in META.items()}
    path.write_bytes(zipped(IMAGES | deeper, ""))
    assert (read_meta(path), dict(iterate_images(path))) == expected


def test_backslashes_of_windows_are_folders(path, expected):
    path.write_bytes(zipped({name.replace("/", "\\"): content for name, content in (META | IMAGES).items()}, ""))
    assert (read_meta(path), dict(iterate_images(path))) == expected


def test_links_and_folders_are_passed_over(path):
    path.write_bytes(zipped(META | IMAGES))
    with zipfile.ZipFile(path, "a") as archive:
        for name, kind in {"images/pie/link.jpg": stat.S_IFLNK, "images/pie/folder.jpg/": stat.S_IFDIR}.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (kind | 0o777) << 16
            archive.writestr(member, "/etc/passwd")
    assert dict(iterate_images(path)).keys() == {name[7:-4] for name in IMAGES}


def test_every_truncation_is_noticed(path):
    whole = zipped(META | IMAGES)
    for length in range(4, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(StageError, match=r"not a whole \.zip archive.*data.url"):
            read_meta(path)


def test_a_changed_byte_is_noticed(path):
    content = bytearray(zipped(IMAGES, compression=zipfile.ZIP_STORED))
    content[200] ^= 1
    path.write_bytes(content)
    with pytest.raises(StageError, match=r"not a whole \.zip archive: Bad CRC-32"):
        list(iterate_images(path))


@pytest.mark.parametrize(
    ("compression", "words"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")], ids=["bzip2", "lzma"]
)
def test_a_compression_without_a_bound_is_refused(path, compression, words):
    path.write_bytes(zipped(META | IMAGES, compression=compression))
    with pytest.raises(StageError, match=rf"compressed by {words}; accepted: deflate.*data.url to the folder"):
        read_meta(path)


def changed_in_headers(content: bytes, offset: int, value: bytes) -> bytes:
    """A field of every member's header, given by its place in the local one; the central one is two bytes further."""
    content = bytearray(content)
    for magic, place in ((b"PK\x03\x04", offset), (b"PK\x01\x02", offset + 2)):
        found = content.find(magic)
        while found >= 0:
            content[found + place : found + place + len(value)] = value
            found = content.find(magic, found + 4)
    return bytes(content)


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [(6, b"\x01\x00", "is encrypted.*password"), (8, b"\x09\x00", "compressed by deflate64")],
    ids=["encrypted", "deflate64 of Windows Explorer"],
)
def test_what_cannot_be_unpacked_says_what_to_do(path, offset, value, words):
    path.write_bytes(changed_in_headers(zipped(META | IMAGES), offset, value))
    with pytest.raises(StageError, match=words):
        read_meta(path)


def test_refuses_an_image_that_occurs_twice(path):
    path.write_bytes(zipped({**IMAGES, "./images/pie/1.jpg": b"again"}))
    with pytest.raises(StageError, match=r"images/pie/1.jpg occurs twice"):
        list(iterate_images(path))


def test_members_that_share_bytes_are_refused(path):
    """A member within another: of such, ten megabytes unpack to terabytes (CVE-2024-0450)."""
    inner = zipped({"images/pie/2.jpg": b"x" * 500}, compression=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images/pie/1.jpg", inner)
        member = zipfile.ZipInfo("food-101/images/pie/2.jpg")
        member.file_size = member.compress_size = 500
        member.CRC = zlib.crc32(b"x" * 500)
        member.header_offset = 30 + len("images/pie/1.jpg")
        archive.filelist.append(member)
    with pytest.raises(StageError, match=r"images/pie/2.jpg overlaps the member before it"):
        list(iterate_images(path))
