"""One training by threads or by processes, or several side by side. `python -m benchmarks.threads`

Which of them gets the most out of as many cores? Each trains `colorization` of `profiles/food101-64px.yaml`, as the
stage does, on a synthetic archive (`benchmarks.many_images`). A rate is that of one more epoch, its validation
included: training one epoch is subtracted from training two, so that imports and the first step do not count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import yaml

from benchmarks.limits import computed_precision
from benchmarks.machine import describe
from benchmarks.scaling import DATA_STAGES
from benchmarks.synthetic_project import make_project
from stages.formats.npy import open_array
from stages.runtime.params import load_params
from tests.project import TRACKED

PROFILE = "food101-64px"
STAGES = (*DATA_STAGES, "prepare_objectives")
CHANGES = {
    "split": {"validation_fraction": 0.02},
    "pretext": {"objectives": ["colorization"], "controls": ["random"], "seeds": 1},
    "probe": {"representations": {"pixels": ["rgb_small"], "latents": ["random", "colorization"]}},
    "finetune": {"representations": {"pixels": [], "latents": []}},
    "evaluate": {"probe": "rgb_small", "lpips_net": "alex", "lpips_backbone": "random"},
}
PASSIVE = (("OMP_WAIT_POLICY", "passive"),)
SET_BY_USERS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "STAGES_ACCELERATE")


class Configuration(NamedTuple):
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
    """Of all trainings together: images a second, and images a CPU second."""

    wall: float
    processor: float


def configurations(cores: int) -> dict[str, Configuration]:
    return {
        f"one training, {cores} threads": Configuration(),
        f"one training, {cores} threads that sleep while they wait": Configuration(environment=PASSIVE),
        f"one training, {cores} processes": Configuration(processes=cores),
        f"{cores} trainings side by side, one thread each": Configuration(trainings=cores, threads=1),
    }


def main() -> None:
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split(". ")[0])
    parser.add_argument("--images", type=int, default=2000, help="of the archive, of which it trains on half")
    parser.add_argument("--size", type=int, default=64, help="edge of the images in pixels")
    parser.add_argument("--turns", type=int, default=2)
    args = parser.parse_args()
    measured = {name: [] for name in configurations(cores)}
    with tempfile.TemporaryDirectory() as folder:
        project = prepare(Path(folder), args.images, args.size)
        for _turn in range(args.turns):
            for name, configuration in configurations(cores).items():
                measured[name].append(rate(project, configuration))
                print(f"{name}: {_cells(measured[name][-1:])}", flush=True)
    precision = computed_precision(load_params(f"profiles/{PROFILE}.yaml").train.precision, torch.device("cpu"))
    print(f"\n{describe()['processor']}, {cores} cores, {precision}\n")
    print(table(measured))


def prepare(project: Path, images: int, size: int, changes: dict[str, dict] | None = None) -> Path:
    """Make a project whose next stage is the training.

    Args:
        changes: further ones to the parameters of the profile, by group, of other groups than `CHANGES`.
    """
    make_project(project, images, PROFILE, CHANGES | {"lab": {"image_size": size}} | (changes or {}))
    for stage in STAGES:
        subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=project, check=True, stdout=subprocess.DEVNULL)
    return project


def rate(project: Path, configuration: Configuration) -> Rate:
    """Train one epoch, then two, and take the difference.

    Raises:
        subprocess.CalledProcessError: when a training fails; what it said goes to standard error.
        SystemExit: when an epoch's time is lost in noise.
    """
    images = configuration.trainings * len(open_array(project / "data/lab/pretrain.npy"))
    one, two = (np.array(_seconds(project, configuration, epochs)) for epochs in (1, 2))
    if min(two - one) <= 0:
        raise SystemExit("error: two epochs took no longer than one: give more --images, on an idle machine")
    return Rate(*(images / (two - one)).tolist())


def _seconds(project: Path, configuration: Configuration, epochs: int) -> tuple[float, float]:
    """Seconds by the wall clock, and of the processor."""
    environment = {name: value for name, value in os.environ.items() if name not in SET_BY_USERS}
    environment |= {"STAGES_DEVICE": "cpu"} | dict(configuration.environment)
    if configuration.threads:
        environment["OMP_NUM_THREADS"] = str(configuration.threads)
    with tempfile.TemporaryDirectory() as folder:
        copies = [
            _copy(project, Path(folder) / str(number), configuration, epochs)
            for number in range(configuration.trainings)
        ]
        command = [sys.executable, "-m", "stages.train_autoencoder", "colorization"]
        before, start = os.times(), time.perf_counter()
        trainings = [subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL) for copy in copies]
        failed = [code for training in trainings if (code := training.wait())]
        wall, after = time.perf_counter() - start, os.times()
    if failed:
        raise subprocess.CalledProcessError(failed[0], command)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, processor


def _copy(project: Path, copy: Path, configuration: Configuration, epochs: int) -> Path:
    """A project with the same data and its own parameters and outputs."""
    (copy / "data").mkdir(parents=True)
    for name in TRACKED:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).symlink_to(project / name)
    for path in (project / "data").iterdir():
        (copy / "data" / path.name).symlink_to(path)
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"epochs": epochs, "processes": configuration.processes}
    (copy / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return copy


def table(measured: dict[str, list[Rate]]) -> str:
    """In Markdown; the medians' ratio to the first way beside each."""
    first = float(np.median([rate.wall for rate in next(iter(measured.values()))]))
    lines = ["| configuration | images a second | beside the first |", "|---|---|---|"]
    for name, rates in measured.items():
        ratio = float(np.median([rate.wall for rate in rates])) / first
        lines.append(f"| {name} | {_cells(rates)} | {ratio:.2f} |")
    return "\n".join(lines)


def _cells(rates: list[Rate]) -> str:
    wall = ", ".join(f"{rate.wall:.1f}" for rate in rates)
    return f"{wall} ({', '.join(f'{rate.processor:.1f}' for rate in rates)} a CPU second)"


if __name__ == "__main__":
    main()
