"""What DVC itself takes: nothing to do, and an experiment in a copy of the project beside full-size data."""

import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import Row, Scale, seconds
from tests.project import Project, make_project

CHUNK = 2**26


def measure(scale: Scale) -> list[Row]:
    with TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        project.run("dvc", "repro")
        project.commit()
        nothing = [seconds(lambda: project.run("dvc", "repro")) for _ in range(scale.repeats)]
        status = [seconds(lambda: project.run("dvc", "status")) for _ in range(scale.repeats)]
        return [
            Row(
                "dvc repro with nothing to do", "under 2.5 s", "s", nothing, higher=False, note="all stages, tiny data"
            ),
            Row("dvc status", "under 2 s", "s", status, higher=False),
            _experiment(project, scale),
        ]


def _experiment(project: Project, scale: Scale) -> Row:
    """`dvc exp run --temp` less what the stages that it reruns take, with a large file beside them."""
    big = project.path / "data/lab/pretrain.npy"
    big.unlink()  # it is a link to the cache
    rng, left = np.random.default_rng(0), int(scale.gigabytes * 2**30)
    with big.open("wb") as file:
        while left > 0:
            left -= file.write(rng.bytes(min(CHUNK, left)))
    project.run("dvc", "commit", "--force")
    project.commit()
    rerun = ("check_params", "compare", "report")
    stages = seconds(lambda: [project.run("python", "-m", f"stages.{stage}") for stage in rerun])
    project.run("git", "checkout", ".")
    took, links = [], []
    for resamples in range(101, 101 + scale.repeats):
        watch = threading.Event()
        watcher = threading.Thread(target=_links, args=(project, big.stat().st_ino, links, watch))
        watcher.start()
        took.append(
            seconds(lambda n=resamples: project.run("dvc", "exp", "run", "--temp", "-S", f"compare.resamples={n}"))
        )
        watch.set()
        watcher.join()
    copied = "the data was linked, not copied" if all(links) else "the data was COPIED"
    if not links:
        copied = "the data was not even linked"
    return Row(
        f"dvc exp run --temp beyond its stages, {scale.gigabytes:g} GB of data", "under 6 s, no copy", "s",
        [whole - stages for whole in took], higher=False, note=f"{copied}; its stages took {stages:.1f} s",
    )  # fmt: skip


def _links(project: Project, inode: int, found: list[bool], done: threading.Event) -> None:
    """Whether the experiment's large file is the project's own, by its inode, as often as it is seen."""
    while not done.is_set():
        for path in (project.path / ".dvc/tmp/exps").glob("*/*/data/lab/pretrain.npy"):
            try:
                found.append(path.stat().st_ino == inode)
            except FileNotFoundError:
                continue
        time.sleep(0.05)
