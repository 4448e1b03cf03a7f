"""Several processes that share each batch: they learn what one would, end when they must, and say what is wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

from stages import count_colors, prepare_objectives
from stages.food101.manifest import ManifestRow, write_manifest
from stages.pretext.batches import augment
from stages.pretext.launching import launch
from stages.pretext.processes import Processes
from stages.shared.errors import StageError
from tests.project import environment, make_project

IMAGES = 11  # of a class: 22 in all, three batches of 7 and one of a single image


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    rows = [
        ManifestRow(f"{label}/{subset}{number}", label, "in", subset)
        for label in "ab"
        for subset in ("pretrain", "validation")
        for number in range(IMAGES)
    ]
    write_manifest(rows)
    rng = np.random.default_rng(0)
    Path("data/lab").mkdir()
    for subset in ("pretrain", "validation", "probe"):
        np.save(f"data/lab/{subset}.npy", rng.integers(0, 256, (2 * IMAGES, 3, 32, 32), dtype=np.uint8))
    project.change(
        {
            "train": {"epochs": 2, "batch_size": 7, "precision": "float32", "crop": 0.8},
            "loss": {"lpips_weight": 0.0, "adversarial_weight": 0.1},
        }
    )
    count_colors.main()
    prepare_objectives.main()
    return project


def start(project, stage, name, **options):
    return subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}", name],
        cwd=project.path,
        env=environment() | {"STAGES_DEVICE": "cpu"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )


def series() -> dict[str, list[float]]:
    """The values of every series of the training, epoch by epoch."""
    folder = Path("data/training/colorization/plots/metrics")
    return {
        path.relative_to(folder).as_posix(): [float(line.split("\t")[1]) for line in path.read_text().splitlines()[1:]]
        for path in sorted(folder.rglob("*.tsv"))
    }


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_every_image_of_a_batch_counts_in_one_part(count):
    for images in (1, 2, 7, 8, 30):
        parts = [Processes(rank, count).part(images) for rank in range(count)]
        counted = [row for part in parts for row in range(images)[part.place][: part.images]]
        assert counted == list(range(images))
        assert sum(part.weight for part in parts) == pytest.approx(1)
        assert max(part.images for part in parts) - min(part.images for part in parts) <= 1
        assert all(range(images)[part.place] for part in parts)  # nobody sits a step out


def test_what_is_drawn_for_an_image_does_not_depend_on_who_draws():
    lab = torch.rand(7, 3, 8, 8) * 60 + 20
    whole = augment(lab, 0.1, 0.5, seed=0, epoch=1, step=2)
    parts = [Processes(rank, 3).part(7) for rank in range(3)]
    shared = [augment(lab[part.place], 0.1, 0.5, 0, 1, 2, part.place, part.of) for part in parts]
    for views, view in zip(zip(*shared, strict=True), whole, strict=True):
        torch.testing.assert_close(torch.cat(views), view)


def test_two_processes_learn_what_one_does(project):
    """With a critic, squares cut out, a last batch of one image for two: losses to 1e-4."""
    losses, weights = [], []
    for processes in (1, 2):
        project.change({"train": {"processes": processes}})
        stage = start(project, "train_autoencoder", "colorization")
        out, _ = stage.communicate(timeout=300)
        assert stage.returncode == 0, out
        assert out.count("epoch 2 of 2") == 1
        losses.append(series())
        weights.append(load_file("data/encoders/colorization/model.safetensors"))
        assert not list(Path(".dvc/tmp/checkpoints").iterdir())
    one, two = losses
    assert one.keys() == two.keys()
    assert {"train/critic.tsv", "train/loss.tsv", "validation/loss.tsv"} <= one.keys()
    for name in one:
        assert two[name] == pytest.approx(one[name], rel=1e-4, abs=1e-5), name
    first, last = (torch.cat([tensor.flatten() for tensor in each.values()]) for each in weights)
    assert (first - last).norm() < 1e-3 * first.norm()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stage_that_ends_takes_its_processes_with_it_and_resumes(project, signum):
    project.change({"train": {"processes": 2, "epochs": 10_000}})
    stage = start(project, "train_control", "reconstruction")
    while "epoch 2 " not in stage.stdout.readline():
        pass
    processes = psutil.Process(stage.pid).children(recursive=True)
    assert len(processes) >= 3  # the launcher and two
    stage.send_signal(signum)
    out, _ = stage.communicate(timeout=60)
    assert stage.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[signum]
    assert "Traceback" not in out
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    assert len(list(Path(".dvc/tmp/checkpoints").glob("*.pt"))) == 1
    if signum == signal.SIGTERM:
        again = start(project, "train_control", "reconstruction")
        assert "resuming at step" in again.stdout.readline()
        again.terminate()
        again.communicate(timeout=60)


def test_an_error_of_the_processes_reaches_the_user_once_and_without_a_traceback(project):
    project.change({"train": {"processes": 2, "learning_rate": 1e30, "gradient_clip": 1e30}})
    stage = start(project, "train_control", "reconstruction")
    out, _ = stage.communicate(timeout=300)
    assert stage.returncode == 1
    assert out.count("error: the loss is not finite") == 1
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("name", "gpus", "message"),
    [
        ("cuda:1", 4, r"STAGES_DEVICE must be auto, cpu or cuda.*'cuda:1'"),
        ("auto", 1, r"train\.processes must be at most 1.*got 2"),
        ("cuda", 0, r"train\.processes must be at most 0.*got 2"),
    ],
)
def test_processes_that_cannot_have_a_device_each_are_refused(monkeypatch, name, gpus, message):
    monkeypatch.setenv("STAGES_DEVICE", name)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(StageError, match=message):
        launch("train_control", "reconstruction", 2)


def test_one_process_launches_nothing(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    assert not launch("train_control", "reconstruction", 1)
    monkeypatch.setitem(os.environ, "LOCAL_RANK", "0")
    assert not launch("train_control", "reconstruction", 2)
