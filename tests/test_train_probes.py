"""The stages train_probes and train_pixel_probes: same protocol, same files."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import train_pixel_probes, train_probes
from stages.shared.errors import StageError

PROJECT = Path(__file__).parents[1]
TINY = {
    "seeds": 2,
    "epochs": 2,
    "batch_size": 8,
    "channels": [4],
    "learning_rates": [0.01, 0.001],
    "precision": "float32",
    "linear_grid": 2,
    "linear_c": [0.1, 1.0],
}
CLASSES = {"in": ["apple", "cake", "stew"], "out": ["bread", "tart"]}
IMAGES = {"probe": 6, "validation": 4, "test": 3}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project's root with a manifest, Lab arrays and latents of five classes."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    params["probe"] |= TINY
    params["lab"]["image_size"] = 32
    params["model"] |= {"block_out_channels": [32, 64, 64], "norm_num_groups": 8}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    rows = [
        (f"{label}/{subset}{number}", label, domain, subset)
        for domain, labels in CLASSES.items()
        for label in labels
        for subset, count in IMAGES.items()
        for number in range(count)
    ]
    manifest = pd.DataFrame(sorted(rows), columns=["image", "label", "domain", "subset"])
    rng = np.random.default_rng(0)
    for folder in ("split", "lab", "latents/colorization"):
        Path("data", folder).mkdir(parents=True)
    manifest.to_csv("data/split/manifest.csv", index=False)
    for subset in IMAGES:
        count, views = (manifest["subset"] == subset).sum(), 2 if subset == "probe" else 1
        np.save(f"data/lab/{subset}.npy", rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8))
        latents = rng.normal(size=(count, views, 4, 8, 8)).astype(np.float16)
        np.save(f"data/latents/colorization/{subset}.npy", latents)
    return tmp_path


def start(stage, monkeypatch, name):
    monkeypatch.setattr(sys, "argv", [stage.__name__, name])
    stage.main()
    folder = Path("data/probes", name)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        (train_probes, "colorization"),
        (train_pixel_probes, "rgb"),
        (train_pixel_probes, "lightness"),
        (train_pixel_probes, "rgb_small"),
        (train_pixel_probes, "lightness_small"),
    ],
)
def test_a_stage_writes_its_three_tables(workspace, monkeypatch, stage, name):
    files = start(stage, monkeypatch, name)
    assert list(files) == ["choices.csv", "curves.csv", "predictions.csv"]
    heads = {file: content.decode().splitlines()[0] for file, content in files.items()}
    assert heads == {
        "choices.csv": "domain,head,setting,value,validation_accuracy,validation_loss,chosen",
        "curves.csv": "domain,head,seed,learning_rate,epoch,train_loss,validation_loss,validation_accuracy",
        "predictions.csv": "domain,head,seed,image,label,predicted,top5,loss",
    }
    predictions = pd.read_csv(Path("data/probes", name, "predictions.csv"))
    assert len(predictions) == 5 * 3 * (2 + 1)
    assert not predictions.isna().any(axis=None)
    curves = pd.read_csv(Path("data/probes", name, "curves.csv"))
    assert len(curves) == 2 * (2 + 1) * 2  # domains, fits (two rates, one more seed), epochs
    assert not list(Path("data/probes").glob(".*"))


def test_a_stage_writes_the_same_bytes_again(workspace, monkeypatch):
    first = start(train_probes, monkeypatch, "colorization")
    assert start(train_probes, monkeypatch, "colorization") == first


def test_the_study_s_seed_reaches_the_probes(workspace, monkeypatch):
    first = start(train_probes, monkeypatch, "colorization")
    params = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(params | {"seed": 1}))
    assert start(train_probes, monkeypatch, "colorization")["curves.csv"] != first["curves.csv"]


@pytest.mark.parametrize("stage", [train_probes, train_pixel_probes])
def test_a_representation_of_another_name_is_refused(workspace, monkeypatch, capsys, stage):
    with pytest.raises(SystemExit) as ended:
        start(stage, monkeypatch, "hue")
    assert ended.value.code == 2
    assert "invalid choice: 'hue'" in capsys.readouterr().err


@pytest.mark.parametrize(("stage", "name"), [(train_probes, "colorization"), (train_pixel_probes, "rgb")])
def test_arrays_of_another_split_are_refused_and_the_old_output_stays(workspace, monkeypatch, stage, name):
    before = start(stage, monkeypatch, name)
    for folder in ("data/lab", "data/latents/colorization"):
        array = np.load(f"{folder}/test.npy")
        np.save(f"{folder}/test.npy", array[:-1])
    with pytest.raises(StageError, match="has 14 rows, the manifest lists 15 test images"):
        start(stage, monkeypatch, name)
    assert {path.name: path.read_bytes() for path in Path("data/probes", name).iterdir()} == before


def test_missing_latents_are_named(workspace, monkeypatch):
    with pytest.raises(StageError, match=r"data/latents/random/probe.npy is missing"):
        start(train_probes, monkeypatch, "random")


def test_as_a_program_a_refusal_is_one_line_and_exit_status_1(workspace, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train_probes", "random"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(PROJECT / "stages" / "train_probes.py"), run_name="__main__")
    assert str(ended.value.code).startswith("error: data/latents/random/probe.npy is missing")
