import os
from pathlib import Path

import pytest

from stages.colorizing.names import pictures_in, printable, real_path
from stages.photographs.refusal import Refused


def test_pictures_by_their_suffixes_in_order_and_nothing_hidden(tmp_path):
    for name in ("b.JPG", "a.tiff", "c.heic", "d.nef", ".e.jpg", "notes.txt", "f", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / "g.jpg").mkdir()
    assert [path.name for path in pictures_in(tmp_path)] == ["a.tiff", "b.JPG", "c.heic", "d.nef"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(Refused, match="a folder without photographs"):
        pictures_in(tmp_path)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (b"dish.jpg", "dish.jpg"),
        ("crème.jpg".encode(), "crème.jpg"),
        (b"cr\xe8me.jpg", "cr\\xe8me.jpg"),
        (b"two\nlines\x1b[2J", "two\\nlines\\x1b[2J"),
    ],
)
def test_every_name_can_be_printed(name, printed):
    assert printable(Path(os.fsdecode(name))) == printed
    printed.encode()


def test_a_loop_of_links_leads_somewhere(tmp_path):
    (tmp_path / "a").symlink_to("a")
    assert real_path(tmp_path / "a")
