"""The training stages: what they may see, and what they start from."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stages import evaluate_colorization, train_autoencoder, train_control
from stages.food101.manifest import ManifestRow, write_manifest
from stages.pretext.autoencoder import Autoencoder
from stages.shared.params import load_params
from tests.project import make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with Lab arrays of 4 images a subset and class, of two classes in each domain."""
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    rows = [
        ManifestRow(f"{label}/{subset}{number}", label, domain, subset)
        for domain, labels in (("in", "ab"), ("out", "cd"))
        for label in labels
        for subset in ("pretrain", "validation", "probe", "test")
        for number in range(4)
        if (domain, subset) != ("out", "pretrain")
    ]
    write_manifest(rows)
    rng = np.random.default_rng(0)
    Path("data/lab").mkdir()
    for subset in ("pretrain", "validation", "probe", "test"):
        count = sum(row.subset == subset for row in rows)
        np.save(f"data/lab/{subset}.npy", rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8))
    return project


def run(monkeypatch, stage, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    stage.main()


def outputs() -> dict[str, bytes]:
    folders = [Path("data/encoders"), Path("data/training")]
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def spoil(subset: str, domain_rows: slice) -> None:
    array = np.load(f"data/lab/{subset}.npy")
    array[domain_rows] = 255 - array[domain_rows]
    np.save(f"data/lab/{subset}.npy", array)


def test_held_out_classes_choose_nothing(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    before = outputs()
    spoil("validation", np.s_[8:])  # the images of classes c and d
    spoil("test", np.s_[:])
    run(monkeypatch, train_autoencoder, "colorization")
    assert outputs() == before
    spoil("validation", np.s_[:8])
    run(monkeypatch, train_autoencoder, "colorization")
    assert outputs() != before


def test_random_is_what_every_encoder_was_before_training(project, monkeypatch):
    run(monkeypatch, train_control, "random")
    saved = load_file("data/encoders/random/model.safetensors")
    params = load_params()
    torch.manual_seed(params.seed)
    fresh = Autoencoder(1, 2, [8, 8, 8], 1, params.model.latent_channels, 4).state_dict()
    encoder = [name for name in saved if name.startswith(("encoder.", "to_latents."))]
    assert encoder
    assert all(torch.equal(saved[name], fresh[name]) for name in encoder)


def test_folders_hold_what_the_readme_says(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    assert sorted(path.name for path in Path("data/encoders/colorization").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    series = {path.relative_to("data/training/colorization").as_posix() for path in Path("data/training").rglob("*.*")}
    assert series == {
        f"plots/metrics/{name}.tsv"
        for name in ("learning_rate", *(f"{part}/{loss}" for part in ("train", "validation") for loss in
                     ("loss", "pixel", "lpips")))
    }  # fmt: skip


def test_the_mean_color_is_of_classes_that_were_seen(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    run(monkeypatch, evaluate_colorization)
    before = Path("metrics/colorization.json").read_bytes()
    spoil("validation", np.s_[8:])
    run(monkeypatch, evaluate_colorization)
    assert Path("metrics/colorization.json").read_bytes() == before
    spoil("validation", np.s_[:8])
    run(monkeypatch, evaluate_colorization)
    assert Path("metrics/colorization.json").read_bytes() != before
