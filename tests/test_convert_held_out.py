from pathlib import Path

import numpy as np
import pytest
import yaml

from stages import convert_held_out
from stages.dataset.manifest import ManifestRow, write_manifest
from stages.photographs.decoding import photograph_to_lab8
from stages.runtime.errors import StageError
from tests.project import ROOT
from tests.test_convert_to_lab import pack, photograph


@pytest.fixture
def convert(tmp_path, monkeypatch):
    """A project's root whose archive holds four images of a held-out class, two of them unused."""
    monkeypatch.chdir(tmp_path)
    subsets = ["unused", "probe", "unused", "test"]
    rows = [ManifestRow(f"tart/{number}", "tart", "out", subset) for number, subset in enumerate(subsets)]
    rows += [ManifestRow(f"soup/{number}", "soup", "in", "pretrain", "1") for number in range(2)]
    write_manifest(rows)
    pack({row.image: photograph(number) for number, row in enumerate(sorted(rows))})

    def run(*controls: str) -> dict[str, np.ndarray]:
        params = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())
        params["pretext"]["controls"] = ["random", *controls]
        params["probe"]["representations"]["latents"] = ["random", "colorization"]
        Path("params.yaml").write_text(yaml.safe_dump(params))
        convert_held_out.main()
        return {path.stem: np.load(path) for path in Path("data/held_out").iterdir()}

    return run


def test_swapped_gets_the_unused_images_and_every_other_control_none(convert):
    arrays = convert("swapped")
    assert {name: array.shape for name, array in arrays.items()} == {
        "random": (0, 3, 32, 32),
        "swapped": (2, 3, 32, 32),
    }
    # The rows of soup come first, so tart/0 is photograph 2 and tart/2 is photograph 4.
    expected = [photograph_to_lab8(photograph(number), 32, "crop") for number in (2, 4)]
    np.testing.assert_array_equal(arrays["swapped"], np.stack(expected))


def test_without_swapped_no_photograph_is_read(convert, monkeypatch):
    def read(archive):
        raise AssertionError("read")

    monkeypatch.setattr(convert_held_out, "iterate_images", read)
    assert set(convert()) == {"random"}


def test_more_held_out_classes_than_seen_ones_are_refused(convert):
    write_manifest([ManifestRow(f"{label}/1", label, "out", "unused") for label in ("pie", "tart")]
                   + [ManifestRow("soup/1", "soup", "in", "pretrain")])  # fmt: skip
    with pytest.raises(StageError, match=r"lists 'swapped'.*split.held_out_classes must be at most 1.*got 2"):
        convert("swapped")
