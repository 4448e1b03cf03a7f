"""Ctrl-C saves and ends; a second one ends at once; a SIGTERM to DVC alone leaves nothing running."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hold import Hold
from tests.project import Project, environment
from tests.waiting import LIMIT, descendants, wait_for_end, wait_until

STAGE = "train_autoencoder"
EPOCHS = 3
STEP = 21  # of 16 an epoch: in the middle of the second
NEVER = {"STAGES_CHECKPOINT_SECONDS": "100000"}  # a training saves by itself: at the end of an epoch only


@pytest.fixture(scope="module")
def long(finished, tmp_path_factory) -> Project:
    project = finished.copy(tmp_path_factory.mktemp("long") / "project")
    project.change({"train": {"epochs": EPOCHS, "batch_size": 2}})
    return project


@pytest.fixture
def hold(tmp_path) -> Hold:
    return Hold(tmp_path / "hold", STEP)


def start(project: Project, hold: Hold) -> subprocess.Popen:
    """The training, once it is held in its step."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"stages.{STAGE}", "colorization"],
        cwd=project.path, env=environment() | NEVER | hold.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    hold.wait(process)
    return process


def test_ctrl_c_once_saves_and_the_next_run_goes_on_from_that_step(long, hold, tmp_path):
    whole = long.copy(tmp_path / "whole")
    whole.run(sys.executable, "-m", f"stages.{STAGE}", "colorization")
    project = long.copy(tmp_path / "cut")
    process = start(project, hold)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: hold.signals() == [1], process)
    hold.release()
    out, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    step, steps = map(int, re.search(r"saved at step (\d+) of (\d+)", out).groups())
    assert step == STEP < steps
    assert "Traceback" not in out
    again = project.run(sys.executable, "-m", f"stages.{STAGE}", "colorization").stdout
    assert f"resuming at step {step} of {steps}" in again
    weights = Path("data/encoders/colorization/model.safetensors")
    assert (project.path / weights).read_bytes() == (whole.path / weights).read_bytes()
    series = Path("data/training/colorization/plots/metrics/validation/loss.tsv")
    assert (project.path / series).read_bytes() == (whole.path / series).read_bytes()
    assert not list((project.path / ".dvc/tmp/checkpoints").iterdir())


def test_ctrl_c_twice_stops_at_once(long, hold, tmp_path):
    """Within a step that never ends: the first signal waits for its end, the second does not."""
    project = long.copy(tmp_path / "project")
    process = start(project, hold)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: hold.signals() == [1], process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGINT
    again = project.run(sys.executable, "-m", f"stages.{STAGE}", "colorization").stdout
    assert f"epoch {EPOCHS} of {EPOCHS}" in again


@pytest.mark.slow
def test_ctrl_c_at_the_terminal_ends_dvc_and_the_stage(long, hold, tmp_path):
    project = long.copy(tmp_path / "project")
    process = project.start("dvc", "repro", f"{STAGE}@colorization", **hold.environment, **NEVER)
    hold.wait(process)
    stages = descendants(process)
    os.killpg(process.pid, signal.SIGINT)
    wait_until(lambda: hold.signals() == [1], process)
    hold.release()
    assert process.wait(timeout=LIMIT) != 0
    assert stages
    wait_for_end(stages)
    assert list((project.path / ".dvc/tmp/checkpoints").glob("*.pt"))
    assert f"resuming at step {STEP} " in project.run("dvc", "repro", f"{STAGE}@colorization").stdout


@pytest.mark.slow
def test_sigterm_to_dvc_alone_leaves_no_stage_running(long, hold, tmp_path):
    project = long.copy(tmp_path / "project")
    process = project.start("dvc", "repro", f"{STAGE}@colorization", **hold.environment, **NEVER)
    hold.wait(process)
    stages = descendants(process)
    process.terminate()
    process.wait(timeout=LIMIT)
    wait_until(lambda: hold.signals() == [1])  # from the stage itself, as DVC is gone
    hold.release()
    assert stages
    wait_for_end(stages)
    assert f"resuming at step {STEP} " in project.run("dvc", "repro", f"{STAGE}@colorization").stdout
