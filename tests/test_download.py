"""The `download` stage, as DVC starts it."""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from stages import convert_to_lab, download, split
from stages.food101.archive import ARCHIVE, read_meta
from stages.source.dishes import DISHES
from stages.source.sample import draw_sample
from tests.archives import unpack, write_shards, zipped

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return tmp_path


def set_data(project, **values):
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["data"] |= values
    (project / "params.yaml").write_text(yaml.safe_dump(params))


def test_draws_the_sample_without_the_network(project):
    set_data(project, source="sample", url="http://127.0.0.1:1/nothing")
    download.main()
    meta = read_meta(ARCHIVE)
    assert len(meta.classes) == 12
    assert {len(images) for images in meta.train.values()} == {75}
    assert Path(ARCHIVE).stat().st_size < 7e6


def test_takes_an_archive_by_path_and_prints_the_md5_when_it_is_not_verified(project, capsys):
    draw_sample("mine.tar.gz", seed=5, train=6, test=2)
    digest = hashlib.md5(Path("mine.tar.gz").read_bytes()).hexdigest()
    set_data(project, source="food101", url="mine.tar.gz", md5=None)
    download.main()
    assert f"not verified, since data.md5 is null. Its MD5 for params.yaml: {digest}" in capsys.readouterr().out
    set_data(project, source="food101", url="mine.tar.gz", md5=digest)
    download.main()
    assert f"MD5 {digest}, verified" in capsys.readouterr().out
    assert Path(ARCHIVE).read_bytes() == Path("mine.tar.gz").read_bytes()


def test_program_ends_with_an_error_for_the_user(project):
    set_data(project, source="food101", url="missing.tar.gz", md5=None)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "stages.download"],
        env=environment,
        capture_output=True,
        text=True,
        cwd=project,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: data.url: there is no ") and "Traceback" not in done.stderr
    assert not Path(ARCHIVE).exists()


@pytest.fixture(scope="module")
def forms(tmp_path_factory) -> dict[str, Path]:
    """The same photographs in each form."""
    folder = tmp_path_factory.mktemp("forms")
    draw_sample(folder / "food-101.tar.gz", seed=3, train=6, test=2, dishes=DISHES[:4])
    with tarfile.open(folder / "food-101.tar.gz") as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member).read() for member in archive}
    (folder / "kaggle.zip").write_bytes(zipped(files | {"food_c101_n1000_r384x384x3.h5": b"\x89HDF"}, ""))
    return {
        "tar": folder / "food-101.tar.gz",
        "zip": folder / "kaggle.zip",
        "folder": unpack(files, folder / "food-101"),
        "parquet": write_shards(files, folder / "food101/data"),
    }


def test_whichever_way_the_photographs_came_the_manifest_and_the_arrays_are_the_same(project, forms):
    results = {}
    for form, path in forms.items():
        set_data(project, source="food101", url=str(path), md5=None)
        params = yaml.safe_load((project / "params.yaml").read_text())
        params["split"]["held_out_classes"] = 2
        (project / "params.yaml").write_text(yaml.safe_dump(params))
        download.main()
        split.main()
        convert_to_lab.main()
        outputs = [Path("data/split/manifest.csv"), *sorted(Path("data/lab").iterdir())]
        results[form] = {str(output): output.read_bytes() for output in outputs}
    assert len(results["tar"]) == 5 and results["tar"]["data/split/manifest.csv"].count(b"\n") == 4 * 8 + 1
    assert results["zip"] == results["folder"] == results["parquet"] == results["tar"]


@pytest.mark.parametrize("stage", ["download", "split"])
def test_starts_without_torch_and_pandas(stage):
    code = f"import sys, stages.{stage}; sys.exit(any(name in sys.modules for name in ('torch', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
