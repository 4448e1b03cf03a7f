import os
import subprocess
import sys

import numpy as np
import pytest

from stages.formats.json import write_json
from stages.formats.npy import memory_mapped, open_array
from stages.runtime.errors import StageError
from stages.runtime.files import whole_file, whole_folder


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out" / "a.txt"
    with whole_file(path) as part:
        part.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path):
    path = tmp_path / "out"
    for text in ("old", "new"):
        with whole_folder(path) as part:
            (part / "a").write_text(text)
    with pytest.raises(RuntimeError), whole_folder(path) as part:
        (part / "b").write_text("half")
        raise RuntimeError
    assert [file.name for file in path.iterdir()] == ["a"]
    assert (path / "a").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a" * 245 + ".png", "é" * 120 + ".png", os.fsdecode(b"\xff" * 251 + b".png")])
def test_a_name_as_long_as_the_system_allows_can_be_written(tmp_path, name):
    for text in ("old", "new"):
        with whole_file(tmp_path / name) as part:
            part.write_text(text)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "new")]


def test_what_a_killed_process_left_is_removed_and_what_another_writes_is_not(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".out.{gone.pid}.part").mkdir()
    (tmp_path / f".out.{os.getpid()}.part").write_text("of a process that had this one's number")
    (tmp_path / f".out.{os.getppid()}.part").write_text("in use")
    (tmp_path / f".outer.{gone.pid}.part").write_text("of another output")
    with whole_folder(tmp_path / "out") as part:
        (part / "a").write_text("new")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"out", f".out.{os.getppid()}.part", f".outer.{gone.pid}.part"}
    with whole_file(tmp_path / "outer") as part:
        part.write_text("new")
    assert {path.name for path in tmp_path.iterdir()} == {"out", "outer", f".out.{os.getppid()}.part"}


def test_json_is_sorted_and_finite(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": {"d": 2, "c": 3}})
    write_json(tmp_path / "b.json", {"a": {"c": 3, "d": 2}, "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    with pytest.raises(ValueError):
        write_json(tmp_path / "c.json", {"a": float("nan")})
    assert not (tmp_path / "c.json").exists()


def test_arrays_come_back_and_broken_ones_are_named(tmp_path):
    array = np.arange(24, dtype=np.float16).reshape(2, 3, 4)
    np.save(tmp_path / "a.npy", array)
    with memory_mapped(tmp_path / "b.npy", array.shape, "float16") as mapped:
        mapped[:] = array
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    assert (open_array(tmp_path / "a.npy") == array).all()

    (tmp_path / "short.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-5])
    with pytest.raises(StageError, match=r"short\.npy is not a whole \.npy array"):
        open_array(tmp_path / "short.npy")
    with pytest.raises(StageError, match=r"none\.npy is missing"):
        open_array(tmp_path / "none.npy")
