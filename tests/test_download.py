"""The `download` stage, as DVC starts it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages import download
from stages.food101.archive import ARCHIVE, read_meta
from stages.source.sample import draw_sample

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
    assert Path(ARCHIVE).stat().st_size < 5e6


def test_takes_an_archive_by_path_and_prints_the_md5_when_it_is_not_verified(project, capsys):
    draw_sample("mine.tar.gz", seed=5, images_per_class=8)
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


@pytest.mark.parametrize("stage", ["download", "split"])
def test_starts_without_torch_and_pandas(stage):
    code = f"import sys, stages.{stage}; sys.exit(any(name in sys.modules for name in ('torch', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
