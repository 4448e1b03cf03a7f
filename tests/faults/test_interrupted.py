"""Ctrl-C saves and ends; a second one ends at once; a SIGTERM to DVC alone leaves nothing running."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.project import Project, environment

LONG = {"train": {"epochs": 4, "batch_size": 2}}  # some hundred steps
STAGE = "train_autoencoder"


@pytest.fixture(scope="module")
def long(finished, tmp_path_factory) -> Project:
    project = finished.copy(tmp_path_factory.mktemp("long") / "project")
    project.change(LONG)
    return project


def start(project: Project) -> subprocess.Popen:
    """The training, saving by itself every two minutes only: never, in these tests."""
    return subprocess.Popen(
        [sys.executable, "-m", f"stages.{STAGE}", "colorization"],
        cwd=project.path, env=environment() | {"PYTHONUNBUFFERED": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def wait_for_training(project: Project, process: subprocess.Popen, epochs: int = 1) -> None:
    series = project.path / "data/training/colorization/plots/metrics/train/loss.tsv"
    before = series.stat().st_mtime if series.exists() else 0
    end = time.monotonic() + 120
    while not (series.exists() and series.stat().st_mtime > before and len(series.read_text().splitlines()) > epochs):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_once_saves_and_the_next_run_goes_on_from_that_step(long, tmp_path):
    whole = long.copy(tmp_path / "whole")
    whole.run(sys.executable, "-m", f"stages.{STAGE}", "colorization")
    project = long.copy(tmp_path / "cut")
    process = start(project)
    wait_for_training(project, process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    step, steps = map(int, re.search(r"saved at step (\d+) of (\d+)", out).groups())
    assert 0 < step < steps
    assert "Traceback" not in out
    again = project.run(sys.executable, "-m", f"stages.{STAGE}", "colorization").stdout
    assert f"resuming at step {step} of {steps}" in again
    weights = Path("data/encoders/colorization/model.safetensors")
    assert (project.path / weights).read_bytes() == (whole.path / weights).read_bytes()
    series = Path("data/training/colorization/plots/metrics/validation/loss.tsv")
    assert (project.path / series).read_bytes() == (whole.path / series).read_bytes()
    assert not list((project.path / ".dvc/tmp/checkpoints").iterdir())


def test_ctrl_c_twice_stops_at_once(long, tmp_path):
    project = long.copy(tmp_path / "project")
    process = start(project)
    wait_for_training(project, process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode in (-signal.SIGINT, 130)  # 130: it was done before the second came
    again = project.run(sys.executable, "-m", f"stages.{STAGE}", "colorization").stdout
    assert "epoch 4 of 4" in again


def test_ctrl_c_at_the_terminal_ends_dvc_and_the_stage(long, tmp_path):
    project = long.copy(tmp_path / "project")
    process = project.start("dvc", "repro", f"{STAGE}@colorization")
    wait_for_training(project, process)
    stages = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) != 0
    assert not psutil.wait_procs(stages, timeout=10)[1]
    assert list((project.path / ".dvc/tmp/checkpoints").glob("*.pt"))
    assert "resuming at step" in project.run("dvc", "repro", f"{STAGE}@colorization").stdout


def test_sigterm_to_dvc_alone_leaves_no_stage_running(long, tmp_path):
    project = long.copy(tmp_path / "project")
    process = project.start("dvc", "repro", f"{STAGE}@colorization")
    wait_for_training(project, process)
    stages = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    process.wait(timeout=30)
    assert stages
    assert not psutil.wait_procs(stages, timeout=10)[1]
    assert "resuming at step" in project.run("dvc", "repro", f"{STAGE}@colorization").stdout
