"""The `split` stage: from an archive and params.yaml to the manifest."""

from pathlib import Path

import pytest
import yaml

from stages import split
from stages.dataset.manifest import MANIFEST, read_manifest
from stages.food101.archive import ARCHIVE
from stages.runtime.errors import StageError
from stages.source.sample import draw_sample

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "food-101.tar.gz"
    draw_sample(path, seed=0, train=12, test=4)
    return path


@pytest.fixture
def run_split(tmp_path, monkeypatch, archive):
    monkeypatch.chdir(tmp_path)
    Path(ARCHIVE).parent.mkdir(parents=True)
    Path(ARCHIVE).symlink_to(archive)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["data"] |= {"images_per_class": None}
    params["split"] = {"held_out_classes": 4, "probe_fraction": 0.25, "validation_fraction": 0.1}

    def run(seed=0, images_per_class=None, **values):
        params["seed"] = seed
        params["data"]["images_per_class"] = images_per_class
        Path("params.yaml").write_text(yaml.safe_dump(params | {"split": params["split"] | values}))
        split.main()
        return Path(MANIFEST).read_bytes()

    return run


def test_same_parameters_same_bytes(run_split):
    first = run_split()
    assert run_split() == first
    assert run_split(seed=1) != first


def test_writes_a_manifest_and_says_what_is_in_it(run_split, capsys):
    run_split()
    rows = read_manifest()
    assert len(rows) == 12 * 16
    assert rows.groupby("domain")["label"].nunique().to_dict() == {"in": 8, "out": 4}
    assert capsys.readouterr().out == (
        "8 classes in (64 pretrain, 8 validation, 24 probe, 32 test); "
        "4 classes out (32 unused, 4 validation, 12 probe, 16 test); 4 of the classes in matched with those out\n"
    )


def test_fewer_images_per_class(run_split):
    run_split(images_per_class=8)
    assert len(read_manifest()) == 12 * 8


def test_a_refused_split_leaves_the_manifest_that_was_there(run_split):
    before = run_split()
    with pytest.raises(StageError, match=r"split.held_out_classes must be at most 10"):
        run_split(held_out_classes=12)
    assert Path(MANIFEST).read_bytes() == before
