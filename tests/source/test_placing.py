"""A file is linked where it can be, copied where it cannot, and hashed in either case."""

import errno
import hashlib
import os

import pytest

from stages.source import placing
from stages.source.placing import place_file

CONTENT = os.urandom(50_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def origin(tmp_path):
    (tmp_path / "raw").mkdir()
    path = tmp_path / "origin"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / "raw/target"


def refuse(*_):
    raise OSError(errno.EXDEV, "Invalid cross-device link")


@pytest.mark.parametrize(
    ("links", "made"),
    [
        (["hardlink", "copy"], "hardlink"),
        (["copy", "hardlink"], "copy"),
        (["symlink", "hardlink"], "hardlink"),
        ([], "copy"),
    ],
)
def test_links_are_tried_in_order_up_to_copy(origin, target, links, made):
    assert place_file(origin, target, links) == (MD5, made)
    assert target.read_bytes() == CONTENT
    assert target.samefile(origin) == (made == "hardlink") and not target.is_symlink()


def test_on_another_disk_it_is_copied(origin, target, monkeypatch):
    monkeypatch.setattr(os, "link", refuse)
    assert place_file(origin, target, ["hardlink"]) == (MD5, "copy")


def test_another_users_file_is_copied(origin, target, monkeypatch):
    """DVC could not protect it, and its owner may change it at any time."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert place_file(origin, target, ["hardlink"]) == (MD5, "copy")


def test_a_file_system_that_shares_blocks_does(origin, target, monkeypatch):
    """The ioctl, where there is one: a file of its own."""

    def clone(file, request, source):
        assert request == placing.FICLONE
        file.write(os.pread(source, len(CONTENT), 0))

    monkeypatch.setattr(placing.fcntl, "ioctl", clone)
    assert place_file(origin, target, ["reflink", "hardlink"]) == (MD5, "reflink")
    assert not target.samefile(origin)


def test_one_that_does_not_goes_on_to_the_next(origin, target, monkeypatch):
    monkeypatch.setattr(placing.fcntl, "ioctl", refuse)
    assert place_file(origin, target, ["reflink", "hardlink"]) == (MD5, "hardlink")


def test_what_a_link_points_to_is_placed(origin, target, tmp_path):
    (tmp_path / "link").symlink_to(origin)
    assert place_file(tmp_path / "link", target, ["hardlink"]) == (MD5, "hardlink")
    assert target.samefile(origin) and not target.is_symlink()
