"""Two threads for one training, two processes, or two trainings side by side. `python -m benchmarks.threads`

Which of them gets the most out of as many cores? Each trains `colorization` of `profiles/food101-64px.yaml`, as the
stage does, on a synthetic archive (`benchmarks.many_images`). A rate is that of one more epoch, its validation
included: training one epoch is subtracted from training two, so that imports and the first step do not count.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from benchmarks.machine import describe
from benchmarks.many_images import write_synthetic_archive
from stages.formats.npy import open_array
from tests.project import TRACKED

ROOT = Path(__file__).parents[1]
STAGES = (
    *("check_params", "download", "split", "convert_to_lab", "convert_held_out", "count_colors"),
    "prepare_objectives",
)


class Way(NamedTuple):
    """How the cores are used.

    Attributes:
        trainings: side by side.
        processes: `train.processes` of each.
        threads: of each process; 0: one for each core that it may use, as PyTorch chooses.
        environment: further variables.
    """

    trainings: int = 1
    processes: int = 1
    threads: int = 0
    environment: tuple[tuple[str, str], ...] = ()


class Rate(NamedTuple):
    """Of all trainings together: images a second, and images a second of processor time."""

    wall: float
    processor: float


def ways(cores: int) -> dict[str, Way]:
    return {
        f"one training, {cores} threads": Way(),
        f"one training, {cores} threads that sleep while they wait": Way(environment=(("OMP_WAIT_POLICY", "passive"),)),
        f"one training, {cores} processes": Way(processes=cores),
        f"{cores} trainings side by side, one thread each": Way(trainings=cores, threads=1),
        "one training, one thread": Way(threads=1),
    }


def main() -> None:
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split(". ")[0])
    parser.add_argument("--images", type=int, default=4000, help="of the archive; 45 % of them are trained on")
    parser.add_argument("--size", type=int, default=64, help="edge of the images in pixels")
    parser.add_argument("--turns", type=int, default=2)
    given = parser.parse_args()
    measured = {name: [] for name in ways(cores)}
    with tempfile.TemporaryDirectory() as folder:
        project = prepare(Path(folder), given.images, given.size)
        for _turn in range(given.turns):
            for name, way in ways(cores).items():
                measured[name].append(rate(project, way))
                print(f"{name}: {_cells(measured[name][-1:])}", flush=True)
    print(f"\n{describe()['processor']}, {cores} cores\n")
    print(table(measured))


def prepare(project: Path, images: int, size: int, changes: dict[str, dict] | None = None) -> Path:
    """Make a project whose next stage is the training.

    Args:
        changes: to the parameters of the profile, by group.
    """
    for name in TRACKED:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, project / name)
    write_synthetic_archive(project / "synthetic.tar.gz", images)
    params = yaml.safe_load((ROOT / "profiles/food101-64px.yaml").read_text(encoding="utf-8"))
    params["data"] |= {"url": str(project / "synthetic.tar.gz"), "md5": None}
    params["split"]["validation_fraction"] = 0.02
    params["lab"]["image_size"] = size
    params["pretext"] |= {"objectives": ["colorization"], "controls": ["random"], "seeds": 1}
    params["probe"]["representations"] = {"pixels": ["rgb_small"], "latents": ["random", "colorization"]}
    params["finetune"]["representations"] = {"pixels": [], "latents": []}
    params["evaluate"] = {"probe": "rgb_small", "lpips_net": "alex", "lpips_backbone": "random"}
    for group, values in (changes or {}).items():
        params[group] |= values
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    for stage in STAGES:
        subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=project, check=True, stdout=subprocess.DEVNULL)
    return project


def rate(project: Path, way: Way) -> Rate:
    """Train one epoch, then two, and take the difference.

    Raises:
        subprocess.CalledProcessError: when a training fails; what it said goes to standard error.
    """
    images = way.trainings * len(open_array(project / "data/lab/pretrain.npy"))
    (wall_one, processor_one), (wall_two, processor_two) = (_seconds(project, way, epochs) for epochs in (1, 2))
    return Rate(images / (wall_two - wall_one), images / (processor_two - processor_one))


def _seconds(project: Path, way: Way, epochs: int) -> tuple[float, float]:
    """Seconds by the wall clock, and of the processor."""
    environment = os.environ | dict(way.environment)
    environment.pop("OMP_NUM_THREADS", None)
    if way.threads:
        environment["OMP_NUM_THREADS"] = str(way.threads)
    with tempfile.TemporaryDirectory() as folder:
        copies = [_copy(project, Path(folder) / str(number), way, epochs) for number in range(way.trainings)]
        command = [sys.executable, "-m", "stages.train_autoencoder", "colorization"]
        before, start = os.times(), time.perf_counter()
        trainings = [subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL) for copy in copies]
        failed = [code for training in trainings if (code := training.wait())]
        wall, after = time.perf_counter() - start, os.times()
    if failed:
        raise subprocess.CalledProcessError(failed[0], command)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, processor


def _copy(project: Path, copy: Path, way: Way, epochs: int) -> Path:
    """A project with the same data and its own parameters and outputs."""
    (copy / "data").mkdir(parents=True)
    for name in TRACKED:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).symlink_to(project / name)
    for path in (project / "data").iterdir():
        (copy / "data" / path.name).symlink_to(path)
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"epochs": epochs, "processes": way.processes}
    (copy / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return copy


def table(measured: dict[str, list[Rate]]) -> str:
    """In Markdown; the medians' ratio to the first way beside each."""
    first = float(np.median([rate.wall for rate in next(iter(measured.values()))]))
    lines = ["| way | images a second | beside the first |", "|---|---|---|"]
    for name, rates in measured.items():
        ratio = float(np.median([rate.wall for rate in rates])) / first
        lines.append(f"| {name} | {_cells(rates)} | {ratio:.2f} |")
    return "\n".join(lines)


def _cells(rates: list[Rate]) -> str:
    wall = ", ".join(f"{rate.wall:.1f}" for rate in rates)
    return f"{wall} ({', '.join(f'{rate.processor:.1f}' for rate in rates)} a second of the processor)"


if __name__ == "__main__":
    main()
