"""What lies on this machine is taken in any of its forms, without a second copy of its gigabytes, or refused."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from stages.food101.archive import find_archive, iterate_images
from stages.runtime.errors import StageError
from stages.source import dvc_cache
from stages.source.fetch import fetch_dataset
from stages.source.local import OFFICIAL_MD5
from tests.archives import packed, unpack, write_shards, zipped
from tests.food101.test_archive import IMAGES, META

FILES = META | IMAGES
PHOTOGRAPHS = {name[7:-4]: content for name, content in IMAGES.items()}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr(dvc_cache, "link_types", lambda: ["reflink", "hardlink", "copy"])
    return tmp_path


def write(name: str, content: bytes) -> Path:
    path = Path(name)
    path.write_bytes(content)
    return path


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def fetch(url, expected=None) -> str:
    return fetch_dataset([str(url)], expected, "data/raw")


def taken() -> dict[str, bytes]:
    return dict(iterate_images(find_archive()))


def test_a_zip_is_linked(capsys):
    path = write("kaggle.zip", zipped(FILES, ""))
    assert fetch(path, md5(path.read_bytes())) == md5(path.read_bytes())
    assert find_archive() == Path("data/raw/food-101.zip") and find_archive().samefile(path)
    assert "read-only" not in capsys.readouterr().out
    assert taken() == PHOTOGRAPHS


def test_what_dvc_will_make_read_only_is_told(monkeypatch, capsys):
    monkeypatch.setattr(dvc_cache, "link_types", lambda: ["hardlink", "copy"])
    fetch(write("kaggle.zip", zipped(FILES, "")))
    assert "kaggle.zip is hard-linked into DVC's cache, which makes it read-only" in capsys.readouterr().out


@pytest.mark.parametrize(("link_type", "read_only"), [("reflink,hardlink,copy", False), ("hardlink,copy", True)])
def test_that_is_what_dvc_does(project, link_type, read_only):
    """The first is the project's own setting: the file that the user has stays as it was."""
    path = write("kaggle.zip", zipped(FILES, ""))
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text(f"[core]\n    no_scm = true\n[cache]\n    type = {link_type}\n")
    fetch(path)
    subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", "data/raw"], check=True)
    (cached,) = (file for file in Path(".dvc/cache/files/md5").rglob("*") if file.is_file() and file.suffix != ".dir")
    assert find_archive().samefile(cached)
    assert (path.stat().st_mode & 0o222 == 0, path.samefile(cached)) == (read_only, read_only)


def test_a_zip_is_known_by_its_first_bytes_not_by_its_name():
    fetch(write("download", zipped(FILES)))
    assert find_archive().name == "food-101.zip"


def test_shards_are_linked_and_their_md5_is_that_of_md5sums_list():
    shards = write_shards(FILES, Path("food101/data"))
    listing = "".join(f"{md5(shard.read_bytes())}  {shard.name}\n" for shard in sorted(shards.iterdir()))
    assert fetch("food101") == md5(listing.encode())
    assert find_archive() == Path("data/raw")
    assert all(Path("data/raw", shard.name).samefile(shard) for shard in shards.iterdir())
    assert taken() == PHOTOGRAPHS


def test_shards_whose_folder_says_what_they_are_get_names_that_do():
    shards = write_shards(FILES, Path("shards"), count=1)
    for split in ("train", "validation"):
        place = Path(f"food101/default/{split}/0000.parquet")
        place.parent.mkdir(parents=True)
        (shards / f"{split}-00000-of-00001.parquet").rename(place)
    fetch("food101")
    assert sorted(path.name for path in Path("data/raw").iterdir()) == ["train-0000.parquet", "validation-0000.parquet"]
    assert taken() == PHOTOGRAPHS


@pytest.mark.parametrize("top", ["food-101", ".", "root/food-101"], ids=["its folder", "itself", "above it"])
def test_a_folder_is_packed_into_one_file(top):
    """torchvision's root is the folder above food-101/."""
    unpack(FILES | {"meta/train.json": b"{}"}, Path("data set") / top)
    fetch("data set")
    assert [path.name for path in Path("data/raw").iterdir()] == ["food-101.zip"]
    assert taken() == PHOTOGRAPHS


def test_a_tar_is_copied():
    path = write("food-101.tar.gz", packed(FILES))
    fetch(path)
    assert find_archive().read_bytes() == path.read_bytes() and not find_archive().samefile(path)


def test_where_dvc_is_to_copy_nothing_is_linked(monkeypatch):
    monkeypatch.setattr(dvc_cache, "link_types", lambda: ["copy"])
    path = write("kaggle.zip", zipped(FILES))
    fetch(path)
    assert not find_archive().samefile(path) and find_archive().read_bytes() == path.read_bytes()


def test_one_form_takes_the_place_of_another():
    fetch(write("a.tar.gz", packed(FILES)))
    fetch(write("b.zip", zipped(FILES)))
    assert find_archive().name == "food-101.zip"
    fetch(write_shards(FILES, Path("shards")))
    assert find_archive() == Path("data/raw") and len(list(Path("data/raw").iterdir())) == 4


@pytest.mark.parametrize("form", ["zip", "folder", "shards"])
def test_another_md5_leaves_what_was_there(form):
    fetch(write("a.tar.gz", packed(FILES)))
    sources = {
        "zip": lambda: write("b.zip", zipped(FILES)),
        "folder": lambda: unpack(FILES, Path("b")),
        "shards": lambda: write_shards(FILES, Path("b")),
    }
    with pytest.raises(StageError, match=f"has the MD5 .*; data.md5 is {'0' * 32}"):
        fetch(sources[form](), "0" * 32)
    assert find_archive().read_bytes() == Path("a.tar.gz").read_bytes()
    assert [path.name for path in Path("data").iterdir()] == ["raw"]


def test_the_authors_md5_is_no_folders():
    unpack(FILES, Path("food-101"))
    with pytest.raises(StageError, match=r"data.md5 is that of .*food-101.tar.gz. Set data.md5 to null"):
        fetch("food-101", OFFICIAL_MD5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: unpack({"notes.txt": b""}, Path("a")),
            "without images/ and meta/.*accepted: food-101.tar.gz",
        ),
        (lambda: unpack(IMAGES, Path("a")), "a folder without images/ and meta/"),
        (lambda: unpack({"food-101.tar.gz": packed(FILES)}, Path("a")), "holds food-101.tar.gz: name that"),
        (
            lambda: write("a.rar", b"Rar!\x1a\x07"),
            r"nor a .zip: it begins with b'Rar!.*accepted",
        ),
        (lambda: write("a.zip", b"PK\x05\x06" + bytes(18)), "not a gzipped archive, nor a .zip"),
        (lambda: next(write_shards(FILES, Path("a")).iterdir()), "is one shard. Set data.url to the folder"),
        (lambda: unpack({"train-1.parquet": b"PAR1"}, Path("a")), "has shards of train; accepted"),
    ],
    ids=["nothing", "no lists", "an archive in it", "rar", "an empty zip", "one shard", "one split"],
)
def test_what_is_no_food_101_is_refused_with_what_is_accepted(make, words):
    with pytest.raises(StageError, match=words):
        fetch(make())
    assert not Path("data/raw").exists()
