from pathlib import Path

import pytest

from stages.runtime.params import load_params
from stages.training.checkpoint_key import inputs_key, local_state
from tests.project import ROOT, make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    for name in (
        "lab/pretrain.npy",
        "lab/validation.npy",
        "lab/probe.npy",
        "split/manifest.csv",
        "objectives/colorization/train.json",
        "objectives/random/train.json",
        "objectives/reconstruction/train.json",
        "held_out/random.npy",
        "held_out/reconstruction.npy",
    ):
        path = project.path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(project.path)
    return project


def key(item="colorization", stage="train_autoencoder"):
    return inputs_key(stage, item, load_params())


def test_the_key_changes_with_every_input_and_with_nothing_else(project):
    keys = [key()]
    for path in (
        "data/lab/pretrain.npy",
        "data/split/manifest.csv",
        "data/objectives/colorization/train.json",
        "stages/losses/perceptual.py",
    ):
        Path(path).write_text(Path(path).read_text() + "#")
        keys.append(key())
    for change in ({"train": {"epochs": 7}}, {"pretext": {"seeds": 2}}, {"seed": 3}):
        project.change(change)
        keys.append(key())
    keys.append(key("random", "train_control"))
    assert len(set(keys)) == len(keys)

    same = key()
    project.change({"probe": {"epochs": 9}})
    Path("stages/compare.py").write_text("")
    assert key() == same


def test_a_copy_elsewhere_has_the_same_key(project, tmp_path, monkeypatch):
    first = key()
    project.copy(tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    assert key() == first


def test_a_control_is_not_keyed_by_the_losses(project):
    first = key("reconstruction", "train_control")
    project.change({"loss": {"lpips_weight": 0.5}})
    assert key("reconstruction", "train_control") == first


def test_state_lies_in_the_repository_not_in_its_temporary_copy(monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(ROOT))
    assert local_state("checkpoints") == ROOT / ".dvc/tmp/checkpoints"
