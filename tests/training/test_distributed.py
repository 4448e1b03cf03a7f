"""Data-parallel training: it learns what one process would, ends when it must, and reports what is wrong."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

from stages import count_colors, prepare_objectives, train_control
from stages.compute.device import LAUNCHED
from stages.dataset.manifest import ManifestRow, write_manifest
from stages.runtime.errors import StageError
from stages.training import pretraining
from stages.training.augmentation import augment
from stages.training.checkpoint import Checkpoint
from stages.training.distributed import Processes, init_distributed
from stages.training.launch import launch
from stages.training.loop import _due
from tests.hold import Hold
from tests.project import environment, make_project
from tests.waiting import LIMIT, descendants, read_line, wait_for_end

IMAGES = 11  # of a class: 22 in all, three batches of 7 and one of a single image


CONTROLS = ["random", "reconstruction", "supervised", "vicreg"]


def list_images(pretrain: int) -> None:
    """A manifest of two classes, with so many images each to train on."""
    counts = {"pretrain": pretrain, "validation": IMAGES}
    write_manifest(
        ManifestRow(f"{label}/{subset}{number}", label, "in", subset)
        for label in "ab"
        for subset, count in counts.items()
        for number in range(count)
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    list_images(pretrain=IMAGES)
    rng = np.random.default_rng(0)
    Path("data/lab").mkdir()
    for subset in ("pretrain", "validation", "probe"):
        np.save(f"data/lab/{subset}.npy", rng.integers(0, 256, (2 * IMAGES, 3, 32, 32), dtype=np.uint8))
    Path("data/held_out").mkdir()
    for control in CONTROLS:
        np.save(f"data/held_out/{control}.npy", np.empty((0, 3, 32, 32), np.uint8))
    project.change(
        {
            "train": {"epochs": 2, "batch_size": 7, "precision": "float32", "crop": 0.8},
            "loss": {"adversarial_weight": 0.1},
            "pretext": {"objectives": ["colorization", "color_classification", "split_brain"], "controls": CONTROLS},
            "model": {"block_out_channels": [8, 8, 8], "norm_num_groups": 2},
        }
    )
    count_colors.main()
    prepare_objectives.main()
    return project


@pytest.fixture
def start(project):
    """start(stage, name, **variables): a stage in a subprocess, ended with the test."""
    started = []

    def start(stage: str, name: str, **variables: str) -> subprocess.Popen:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", f"stages.{stage}", name],
                cwd=project.path,
                env=environment() | {"STAGES_DEVICE": "cpu"} | variables,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        return started[-1]

    yield start
    for stage in started:
        if stage.poll() is None:
            stage.terminate()
            stage.communicate(timeout=LIMIT)


def read_until(stage: subprocess.Popen, text: str) -> str:
    """The first line of its output with this text."""
    for line in stage.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without '{text}'")


def series(objective: str = "colorization") -> dict[str, list[float]]:
    """The values of every series of the training, epoch by epoch."""
    folder = Path("data/training", objective, "plots/metrics")
    return {
        path.relative_to(folder).as_posix(): [float(line.split("\t")[1]) for line in path.read_text().splitlines()[1:]]
        for path in sorted(folder.rglob("*.tsv"))
    }


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_every_image_of_a_batch_counts_in_one_part(count):
    for images in (1, 2, 7, 8, 30):
        shards = [Processes(rank, count).shard(images) for rank in range(count)]
        counted = [row for shard in shards for row in range(images)[shard.slice][: shard.images]]
        assert counted == list(range(images))
        assert sum(shard.weight for shard in shards) == pytest.approx(1)
        assert max(shard.images for shard in shards) - min(shard.images for shard in shards) <= 1
        assert all(range(images)[shard.slice] for shard in shards)  # nobody sits a step out


def test_what_is_drawn_for_an_image_does_not_depend_on_who_draws():
    lab = torch.rand(7, 3, 8, 8) * 60 + 20
    whole = augment(lab, 0.1, 0.5, seed=0, epoch=1, step=2)
    shards = [Processes(rank, 3).shard(7) for rank in range(3)]
    shared = [augment(lab[shard.slice], 0.1, 0.5, 0, 1, 2, shard) for shard in shards]
    for views, view in zip(zip(*shared, strict=True), whole, strict=True):
        torch.testing.assert_close(torch.cat(views), view)


@pytest.mark.parametrize(
    "objective",
    ["colorization", *(pytest.param(name, marks=pytest.mark.slow) for name in ("color_classification", "split_brain"))],
)
def test_two_processes_learn_what_one_does(project, start, objective):
    """With a critic and LPIPS where it regresses, squares cut out, a last batch of one image for two: losses to 1e-4.

    In a home whose configuration of Accelerate names a GPU that is not there.
    """
    home = project.path / "home/accelerate"
    home.mkdir(parents=True)
    (home / "default_config.yaml").write_text("compute_environment: LOCAL_MACHINE\ngpu_ids: '7'\nnum_machines: 3\n")
    variables = {"HF_HOME": str(home.parent)}
    losses, weights = [], []
    for processes in (1, 2):
        project.change({"train": {"processes": processes}})
        stage = start("train_autoencoder", objective, **variables)
        out, _ = stage.communicate(timeout=LIMIT)
        assert stage.returncode == 0, out
        assert out.count("epoch 2 of 2") == 1
        losses.append(series(objective))
        weights.append(load_file(f"data/encoders/{objective}/model.safetensors"))
        assert not list(Path(".dvc/tmp/checkpoints").iterdir())
    one, two = losses
    assert one.keys() == two.keys()
    expected = {"train/loss.tsv", "validation/loss.tsv"}
    if objective == "colorization":
        expected |= {"train/critic.tsv", "train/lpips.tsv"}
    assert expected <= one.keys()
    for name in one:
        assert two[name] == pytest.approx(one[name], rel=1e-4, abs=1e-5), name
    first, last = (torch.cat([tensor.flatten() for tensor in each.values()]) for each in weights)
    assert (first - last).norm() < 1e-3 * first.norm()


@pytest.mark.parametrize(
    "signum",
    [*(pytest.param(signum, marks=pytest.mark.slow) for signum in (signal.SIGINT, signal.SIGKILL)), signal.SIGTERM],
)
def test_a_stage_that_ends_takes_its_processes_with_it_and_resumes(project, start, signum):
    project.change({"train": {"processes": 2, "epochs": 10_000}})
    stage = start("train_control", "reconstruction")
    read_until(stage, "epoch 2 ")
    processes = psutil.Process(stage.pid).children(recursive=True)
    assert len(processes) >= 3  # the launcher and two
    stage.send_signal(signum)
    out, _ = stage.communicate(timeout=LIMIT)
    assert stage.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[signum]
    assert "Traceback" not in out
    wait_for_end(processes)
    assert len(list(Path(".dvc/tmp/checkpoints").glob("*.pt"))) == 1
    if signum == signal.SIGTERM:
        saved = re.search(r"saved at step (\d+) of", out)
        again = start("train_control", "reconstruction")
        assert f"resuming at step {saved[1]} of" in read_line(again)
        again.terminate()
        again.communicate(timeout=LIMIT)


@pytest.mark.slow
def test_an_error_of_the_processes_reaches_the_user_once_and_without_a_traceback(project, start):
    project.change({"train": {"processes": 2, "learning_rate": 1e30, "gradient_clip": 1e30}})
    stage = start("train_control", "reconstruction")
    out, _ = stage.communicate(timeout=LIMIT)
    assert stage.returncode == 1
    assert out.count("error: the loss is not finite") == 1
    assert "Traceback" not in out


def test_the_error_of_one_process_is_told_not_what_follows_from_it_in_the_others(project, start):
    project.change({"train": {"processes": 2}})
    Path(".dvc/tmp").mkdir(parents=True)
    Path(".dvc/tmp/checkpoints").write_text("a file, where the first process wants a folder")
    stage = start("train_control", "reconstruction")
    out, _ = stage.communicate(timeout=LIMIT)
    assert stage.returncode == 1
    assert "error: .dvc/tmp/checkpoints: File exists" in out
    assert "another process" not in out


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
    for name, value in dict(zip(LAUNCHED, ("0", "2", "0", "localhost", "29500"), strict=True)).items():
        monkeypatch.setenv(name, value)
    assert not launch("train_control", "reconstruction", 2)
    monkeypatch.setenv("STAGES_ERROR_FILE", "error")
    assert not launch("train_control", "reconstruction", 2)


@pytest.mark.parametrize("control", ["random", "supervised", "vicreg"])
def test_what_needs_the_whole_batch_or_none_is_not_shared(project, monkeypatch, control):
    project.change({"train": {"processes": 2}})
    monkeypatch.setattr(subprocess, "Popen", None)
    trained = []
    monkeypatch.setattr(pretraining, "pretrain", lambda name, *_, **__: trained.append(name))
    monkeypatch.setattr(sys, "argv", ["train_control", control])
    train_control.main()
    assert trained == [control]


def test_a_gpu_that_is_too_small_is_reported_with_the_parameter_to_lower(project, monkeypatch):
    def train(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation")

    monkeypatch.setattr(pretraining, "train", train)
    monkeypatch.setattr(sys, "argv", ["train_control", "reconstruction"])
    with pytest.raises(StageError, match=r"Tried to allocate 2\.00 GiB\.\)\. Lower train\.batch_size") as raised:
        train_control.main()
    assert "documentation" not in str(raised.value)
    assert not Path("data/encoders/reconstruction").exists()


def test_another_launchers_rank_is_not_taken_for_ours(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert init_distributed(torch.device("cpu")) == Processes()
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(TypeError):  # it tries to launch
        launch("train_control", "reconstruction", 2)


@pytest.mark.slow
def test_a_checkpoint_within_an_epoch_is_the_first_processes_and_ends_in_the_same_bytes(project, start, tmp_path):
    """With no interval it is saved after every step; the processes are killed within the 30th."""
    list_images(pretrain=110)
    rng = np.random.default_rng(0)
    np.save("data/lab/pretrain.npy", rng.integers(0, 256, (220, 3, 32, 32), dtype=np.uint8))
    project.change({"train": {"processes": 2, "epochs": 2, "batch_size": 2}, "loss": {"adversarial_weight": 0.0}})
    whole = start("train_autoencoder", "colorization")
    out, _ = whole.communicate(timeout=LIMIT)
    assert whole.returncode == 0, out
    expected = series(), Path("data/encoders/colorization/model.safetensors").read_bytes()

    hold = Hold(tmp_path / "hold", step=30)
    cut = start("train_autoencoder", "colorization", STAGES_CHECKPOINT_SECONDS="0", **hold.environment)
    hold.wait(cut)
    processes = descendants(cut)
    cut.kill()  # saved by the clock, not by the signal
    wait_for_end(processes)
    again = start("train_autoencoder", "colorization")
    step = int(re.search(r"resuming at step (\d+)", read_until(again, "resuming at step"))[1])
    assert step == 29
    again.communicate(timeout=LIMIT)
    assert (series(), Path("data/encoders/colorization/model.safetensors").read_bytes()) == expected


def test_only_the_first_process_says_when_a_checkpoint_is_due(tmp_path):
    class Never(Processes):
        def any(self, wish, device):
            return wish

    first, second = (Checkpoint(tmp_path, "key") for _ in range(2))
    first.interval = second.interval = 0.0
    assert _due(first, True, Never(0, 2), torch.device("cpu"))
    assert not _due(first, False, Never(0, 2), torch.device("cpu"))
    assert not _due(second, True, Never(1, 2), torch.device("cpu"))  # it never saves: always due
