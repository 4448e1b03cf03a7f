"""Every stage, killed at ten random moments: the next `dvc repro` finishes, in the bytes of an undisturbed run."""

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest
import yaml

from tests.project import ROOT, SMALL, Project

MOMENTS = 10


def addresses() -> list[str]:
    """The stages of the small sample, by the names that DVC gives them."""
    arms = SMALL["probe"]["representations"]
    objectives = ["colorization"]
    items = {
        "train_autoencoder": objectives,
        "train_control": SMALL["pretext"]["controls"],
        "extract_latents": arms["latents"],
        "train_probes": arms["latents"],
        "train_pixel_probes": arms["pixels"],
        "finetune": SMALL["finetune"]["representations"]["latents"],
        "finetune_pixels": SMALL["finetune"]["representations"]["pixels"],
        "paint": objectives,
    }
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return [
        name
        for stage in stages
        for name in ([f"{stage}@{item}" for item in items[stage]] if stage in items else [stage])
    ]


def repro(project: Project, *options: str) -> None:
    """As the user whom docs/reliability.md told what to do when DVC was killed while it wrote a file of its own."""
    ended = project.run("dvc", "repro", *options, check=False)
    if ended.returncode and "Unable to read RWLock-file" in ended.stdout:
        (project.path / ".dvc/tmp/rwlock").unlink()
        ended = project.run("dvc", "repro", *options, check=False)
    if ended.returncode and "'./dvc.lock' validation failed" in ended.stdout:
        project.run("git", "checkout", "dvc.lock")
        ended = project.run("dvc", "repro", *options, check=False)
    assert ended.returncode == 0, ended.stdout


def test_no_stage_is_left_out(finished):
    assert set(addresses()) == set(finished.lock())


@pytest.mark.slow
@pytest.mark.parametrize("stage", addresses())
def test_killed_at_ten_moments_the_next_repro_gives_the_same_bytes(finished, tmp_path, stage):
    project = finished.copy(tmp_path / "project")
    lock, draw = project.lock(), random.Random(stage)
    command = ["dvc", "repro", "--single-item", "--force", stage]
    start = time.monotonic()
    project.run(*command)
    duration = time.monotonic() - start
    assert project.lock() == lock
    killed = 0
    while killed < MOMENTS:
        process = project.start(*command)
        try:
            process.wait(draw.uniform(0.25, 1) * duration)  # DVC itself takes the first second
            duration *= 0.9  # it was done: the machine has become faster, or the moment was too late
        except subprocess.TimeoutExpired:
            killed += 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Half of them must work anew amid what was left, not take the result from the run cache.
        repro(project, *(["--no-run-cache"] if killed % 2 else []))
        assert project.lock() == lock
        assert "up to date" in project.run("dvc", "status").stdout
    assert not [path for path in project.path.rglob("*.part") if ".dvc" not in path.parts]
