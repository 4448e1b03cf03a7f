"""Experiments side by side: neither a checkpoint nor a temporary file is shared, and all of them finish."""

import csv
import io
import time

import pytest

LONG = {"train": {"epochs": 3, "batch_size": 2}}
TRAINING = "train_autoencoder@colorization"


@pytest.mark.slow
def test_two_experiments_of_one_training_side_by_side(finished, tmp_path):
    """The same training in both, so the same key: each has a checkpoint of its own, and both end in the same bytes."""
    project = finished.copy(tmp_path / "project")
    project.change(LONG)
    project.commit()
    alone = project.copy(tmp_path / "alone")
    alone.run("dvc", "repro", TRAINING)

    command = ["dvc", "exp", "run", "--temp", TRAINING]
    resamples = {"first": 200, "second": 300}
    processes = {
        name: project.start(*command, "--name", name, "-S", f"compare.resamples={number}")
        for name, number in resamples.items()
    }
    checkpoints, most, end = project.path / ".dvc/tmp/checkpoints", 0, time.monotonic() + 600
    while any(process.poll() is None for process in processes.values()):
        assert time.monotonic() < end
        most = max(most, len(list(checkpoints.glob("*.pt"))))
        time.sleep(0.02)
    for name, process in processes.items():
        assert process.returncode == 0, name
        project.run("dvc", "exp", "apply", name)
        assert project.lock()[TRAINING]["outs"] == alone.lock()[TRAINING]["outs"]
        project.run("git", "checkout", ".")
    assert most == 2
    assert not list(checkpoints.iterdir())


@pytest.mark.slow
def test_a_queue_of_four_with_two_workers(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    for resamples in (110, 120):
        for weight in (0.1, 0.2):
            changes = ["-S", f"compare.resamples={resamples}", "-S", f"loss.lpips_weight={weight}"]
            project.run("dvc", "exp", "run", "--queue", *changes)
    project.run("dvc", "queue", "start", "--jobs", "2")
    end = time.monotonic() + 900
    while True:
        status = project.run("dvc", "queue", "status").stdout
        if status.count("Success") == 4:
            break
        assert "Failed" not in status, status
        assert time.monotonic() < end, status
        time.sleep(2)
    shown = list(csv.DictReader(io.StringIO(project.run("dvc", "exp", "show", "--csv").stdout)))
    pairs = {(row["compare.resamples"], row["loss.lpips_weight"]) for row in shown if row["Experiment"]}
    assert {("110", "0.1"), ("110", "0.2"), ("120", "0.1"), ("120", "0.2")} <= pairs
    project.run("dvc", "queue", "stop", "--kill", check=False)
    assert not list(project.path.rglob("*.part"))
