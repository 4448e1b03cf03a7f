"""An unpacked folder becomes one .zip: the same files, the same bytes, and nothing else of it."""

import os
import subprocess

import pytest

from stages.food101.archive import iterate_images, read_meta
from stages.runtime.errors import StageError
from stages.source.folder import find_files, pack_files
from tests.archives import unpack
from tests.food101.test_archive import IMAGES, META

FILES = META | IMAGES


@pytest.fixture
def packed(tmp_path):
    def packed(folder):
        (tmp_path / "raw").mkdir(exist_ok=True)
        path = tmp_path / "raw/food-101.zip"
        return pack_files(find_files(folder), path), path

    return packed


def test_holds_the_photographs_and_the_lists(tmp_path, packed):
    _, path = packed(unpack(FILES | {"meta/train.json": b"{}", "f.h5": b"", "images/pie/._1.jpg": b""}, tmp_path / "a"))
    assert dict(iterate_images(path)) == {name[7:-4]: content for name, content in IMAGES.items()}
    assert read_meta(path).train == {"pie": ["pie/1", "pie/2"], "soup": ["soup/3"]}


def test_the_same_files_wherever_and_whenever_give_the_same_bytes(tmp_path, packed):
    first, path = packed(unpack(FILES, tmp_path / "a"))
    content = path.read_bytes()
    other = unpack(dict(reversed(FILES.items())), tmp_path / "b/food-101/food-101")
    for place in other.rglob("*.jpg"):
        os.utime(place, (10, 10))
        place.chmod(0o600)
    assert packed(tmp_path / "b") == (first, path) and path.read_bytes() == content


def test_the_md5_is_that_of_md5sums_list(tmp_path, packed):
    folder = unpack(FILES, tmp_path / "a")
    command = "find images meta -type f | LC_ALL=C sort | xargs md5sum | md5sum"
    listed = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True).stdout.split()[0]
    assert packed(folder)[0] == listed


def test_links_are_followed_and_a_circle_of_them_ends(tmp_path, packed):
    folder = unpack(FILES, tmp_path / "a")
    (folder / "images").rename(tmp_path / "other disk")
    (folder / "images").symlink_to(tmp_path / "other disk")
    (tmp_path / "other disk/pie/1.jpg").rename(tmp_path / "1.jpg")
    (tmp_path / "other disk/pie/1.jpg").symlink_to(tmp_path / "1.jpg")
    (folder / "again").symlink_to(folder)
    assert packed(folder)[0] == packed(unpack(FILES, tmp_path / "b"))[0]


def test_two_copies_in_one_folder_are_refused(tmp_path):
    unpack(FILES, tmp_path / "a/food-101")
    unpack(FILES, tmp_path / "a/food41")
    with pytest.raises(StageError, match=r"holds images/pie/1.jpg twice: .*food-101.* and .*food41"):
        find_files(tmp_path / "a")


def test_a_name_that_is_not_utf_8_is_named(tmp_path, packed):
    folder = unpack(FILES, tmp_path / "a")
    with open(os.fsencode(folder) + b"/images/pie/\xe9.jpg", "wb"):
        pass
    with pytest.raises(StageError, match=r"\\xe9.jpg' is not UTF-8: rename it"):
        packed(folder)


def test_a_file_of_any_size_is_refused(tmp_path, packed, monkeypatch):
    monkeypatch.setattr("stages.food101.layout.LARGEST_MEMBER", 100)
    with pytest.raises(StageError, match=r"1.jpg has 2,500 bytes; accepted: at most 100"):
        packed(unpack(FILES, tmp_path / "a"))


def test_without_room_nothing_is_read(tmp_path, packed, monkeypatch):
    monkeypatch.setattr("stages.runtime.files.free_bytes", lambda _: 1000)
    size = sum(map(len, FILES.values()))
    with pytest.raises(StageError, match=f"{size:,} bytes needed, 1,000 free"):
        packed(unpack(FILES, tmp_path / "a"))
