import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages import convert_to_lab
from stages.dataset.manifest import ManifestRow, write_manifest
from stages.food101.archive import ARCHIVE
from stages.photographs.decoding import photograph_to_lab8
from stages.runtime.errors import StageError
from tests.archives import packed
from tests.project import ROOT

SUBSETS = ["pretrain", "validation", "probe", "test"]


def photograph(number: int) -> bytes:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((80, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def images(tmp_path, monkeypatch) -> dict[str, bytes]:
    """A project's root with a manifest of 40 images, `unused` ones among them; pack them with `pack`."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "profiles/sample.yaml").read_text()
    Path("params.yaml").write_text(text)
    names = [f"{label}/{number}" for label in ("soup", "tart") for number in range(20)]
    subsets = {"soup": SUBSETS, "tart": ["unused", *SUBSETS[1:]]}
    domains = {"soup": "in", "tart": "out"}
    rows = []
    for name in names:
        label, number = name.split("/")
        rows.append(ManifestRow(name, label, domains[label], subsets[label][int(number) % 4]))
    write_manifest(rows)
    return {name: photograph(number) for number, name in enumerate(names)}


def pack(images: dict[str, bytes]) -> None:
    Path(ARCHIVE).parent.mkdir(parents=True, exist_ok=True)
    # Not in the manifest's order: the archive's order must not matter.
    Path(ARCHIVE).write_bytes(packed({f"images/{name}.jpg": images[name] for name in sorted(images, reverse=True)}))


def test_row_i_is_the_ith_image_of_the_subset(images):
    pack(images)
    convert_to_lab.main()
    wanted = {subset: [] for subset in SUBSETS}
    for line in Path("data/split/manifest.csv").read_text().splitlines()[1:]:
        name, _, _, subset, _ = line.split(",")
        if subset != "unused":
            wanted[subset].append(photograph_to_lab8(images[name], 32, "crop"))
    for subset in SUBSETS:
        array = np.load(f"data/lab/{subset}.npy", mmap_mode="r")
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, np.stack(wanted[subset]))
    assert sorted(path.name for path in Path("data/lab").iterdir()) == sorted(f"{subset}.npy" for subset in SUBSETS)


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_number_of_workers_does_not_change_a_byte(images, monkeypatch, workers):
    pack(images)
    convert_to_lab.main()
    before = {path.name: path.read_bytes() for path in Path("data/lab").iterdir()}
    monkeypatch.setenv("STAGES_WORKERS", workers)
    convert_to_lab.main()
    assert {path.name: path.read_bytes() for path in Path("data/lab").iterdir()} == before


def test_all_that_cannot_be_used_is_listed_and_nothing_is_left(images):
    images["soup/3"] = images["soup/3"][:200]
    images["tart/5"] = b"<html>"
    del images["soup/7"], images["tart/11"]
    pack(images)
    with pytest.raises(StageError) as refusal:
        convert_to_lab.main()
    message = str(refusal.value)
    assert message.startswith(f"4 of the images of {ARCHIVE} cannot be used")
    for name in ("soup/3: cannot be decoded", "tart/5: cannot be decoded", "soup/7: listed", "tart/11: listed"):
        assert name in message
    assert list(Path("data/lab").iterdir()) == []


def test_an_unused_image_need_not_be_sound(images):
    images["tart/0"] = b"not an image"
    pack(images)
    convert_to_lab.main()


def test_one_photograph_with_broken_metadata_does_not_refuse_the_others(images):
    pack(images)
    convert_to_lab.main()
    before = {path.name: path.read_bytes() for path in Path("data/lab").iterdir()}
    broken = b"Exif\0\0II*\0\10\0\0\0\1\0" + b"\x1a\1\2\0\4\0\0\0abc\0" + bytes(4)
    for name, exif in (("soup/1", b"Exif\0\0no header"), ("tart/2", broken)):
        segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
        images[name] = images[name][:2] + segment + images[name][2:]
    pack(images)
    convert_to_lab.main()
    assert {path.name: path.read_bytes() for path in Path("data/lab").iterdir()} == before


def test_a_colour_profile_that_cannot_be_read_is_told_in_one_line(images, capsys):
    for name in ("soup/1", "soup/2", "tart/3"):
        buffer = io.BytesIO()
        Image.open(io.BytesIO(images[name])).save(buffer, "JPEG", icc_profile=b"none")
        images[name] = buffer.getvalue()
    pack(images)
    convert_to_lab.main()
    assert capsys.readouterr().err.splitlines() == [
        "note: soup/1: its colour profile cannot be used (cannot open profile from string); sRGB is assumed "
        "(and 2 more)"
    ]


def test_no_program_is_started_for_postscript_named_jpg(images, tmp_path, monkeypatch):
    script = tmp_path / "bin/gs"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    images["soup/3"] = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n%%EOF\n"
    pack(images)
    with pytest.raises(StageError, match=r"soup/3: cannot be decoded .not an image, but PostScript, which is not run"):
        convert_to_lab.main()
    assert not (tmp_path / "started").exists()


def test_a_wrong_number_of_workers_is_refused(images, monkeypatch):
    pack(images)
    monkeypatch.setenv("STAGES_WORKERS", "many")
    with pytest.raises(StageError, match=r"STAGES_WORKERS must be a whole number.*'many'"):
        convert_to_lab.main()
