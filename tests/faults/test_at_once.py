"""Experiments side by side: neither a checkpoint nor a temporary file is shared, and all of them finish."""

import csv
import io

import pytest

from tests.hold import Hold
from tests.waiting import LIMIT, wait_until

LONG = {"train": {"epochs": 2, "batch_size": 8}}
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
    hold = Hold(tmp_path / "hold", step=3)
    processes = {
        name: project.start(*command, "--name", name, "-S", f"compare.resamples={number}", **hold.environment)
        for name, number in resamples.items()
    }
    hold.wait(*processes.values())
    checkpoints = project.path / ".dvc/tmp/checkpoints"
    assert len(list(checkpoints.glob("*.pt"))) == 2
    hold.release()
    for name, process in processes.items():
        assert process.wait(timeout=LIMIT) == 0, name
        project.run("dvc", "exp", "apply", name)
        assert project.lock()[TRAINING]["outs"] == alone.lock()[TRAINING]["outs"]
        project.run("git", "checkout", ".")
    assert not list(checkpoints.iterdir())


@pytest.mark.slow
def test_a_queue_of_four_with_two_workers(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    for resamples in (110, 120):
        for weight in (0.1, 0.2):
            changes = ["-S", f"compare.resamples={resamples}", "-S", f"loss.lpips_weight={weight}"]
            project.run("dvc", "exp", "run", "--queue", *changes)
    project.run("dvc", "queue", "start", "--jobs", "2")

    def all_succeeded() -> bool:
        status = project.run("dvc", "queue", "status").stdout
        assert "Failed" not in status, status
        return status.count("Success") == 4

    wait_until(all_succeeded, limit=6 * LIMIT)
    shown = list(csv.DictReader(io.StringIO(project.run("dvc", "exp", "show", "--csv").stdout)))
    pairs = {(row["compare.resamples"], row["loss.lpips_weight"]) for row in shown if row["Experiment"]}
    assert {("110", "0.1"), ("110", "0.2"), ("120", "0.1"), ("120", "0.2")} <= pairs
    project.run("dvc", "queue", "stop", "--kill", check=False)
    assert not list(project.path.rglob("*.part"))
