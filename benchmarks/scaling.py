"""How time and memory of each stage grow with the number of photographs. `python -m benchmarks.scaling`

Each stage runs in a process of its own, in a throw-away project whose archive is synthetic (`benchmarks.many_images`),
at 32 px and with a tiny network. Nothing is trained: `random` is the encoder, and its probes stand in for those of
`colorization` where `compare` wants them.

Time is the processor's, of all threads: on a busy machine it repeats to a fifth, and wall-clock time does not. Two
peaks of memory, sampled while a stage runs: *own* is what only the process itself can free (RssAnon), *mapped* is that
and the pages of memory-mapped files (VmHWM), which the system takes back when memory is short.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.synthetic_project import make_project

SAMPLED = 0.02  # seconds between two looks at a process's memory
DATA_STAGES = ("check_params", "download", "split", "convert_to_lab", "convert_held_out", "count_colors")
PROBE_STAGES = (
    *("prepare_objectives", "train_control random", "extract_latents random"),
    *("train_probes random", "train_pixel_probes rgb_small", "compare"),
)
CHANGES = {
    "data": {"source": "food101", "mirrors": [], "images_per_class": None},
    "split": {"held_out_classes": 20, "probe_fraction": 0.1, "validation_fraction": 0.05},
    "lab": {"image_size": 32},
    "model": {"block_out_channels": [8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4},
    "pretext": {"objectives": ["colorization"], "controls": ["random", "swapped"]},
    "latents": {"layers": ["mid", "latent"], "features": 256},
    "probe": {
        "representations": {"pixels": ["rgb_small"], "latents": ["random", "colorization"]},
        "seeds": 1, "epochs": 1, "batch_size": 64, "channels": [8, 8], "learning_rates": [1e-3], "linear_grid": 2,
        "linear_c": [0.01], "shots": [1, 10], "draws": 2,
    },
    "finetune": {"representations": {"pixels": [], "latents": []}},
    "evaluate": {"probe": "rgb_small"},
}  # fmt: skip


class Measured(NamedTuple):
    """One run of a stage: seconds by the wall clock and of the processor, and the two peaks of memory in bytes."""

    wall: float
    seconds: float
    own: int
    mapped: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(". ")[0])
    parser.add_argument("--images", nargs="+", type=int, default=[100_000, 1_000_000], help="sizes of the archive")
    parser.add_argument("--data-only", action="store_true", help="leave out latents, probes and comparison")
    parser.add_argument("--folder", type=Path, help="where the projects lie while they are measured")
    given = parser.parse_args()
    stages = DATA_STAGES if given.data_only else (*DATA_STAGES, *PROBE_STAGES)
    sizes = {}
    for images in given.images:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            sizes[images] = measure(Path(folder), images, stages)
    print(table(sizes))


def measure(project: Path, images: int, stages: tuple[str, ...]) -> dict[str, Measured]:
    """Run stages, in this order, in the new project on an archive of so many images."""
    make_project(project, images, "sample", CHANGES)
    measured = {}
    for stage in stages:
        if stage == "compare":
            shutil.copytree(project / "data/probes/random", project / "data/probes/colorization")
        measured[stage] = run_stage(project, *stage.split())
        print(f"{images} {stage}: {', '.join(_cells(measured[stage], images))}", flush=True)
    return measured


def run_stage(project: Path, stage: str, *arguments: str) -> Measured:
    """Run one stage as a process.

    Raises:
        subprocess.CalledProcessError: when it fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}", *arguments],
        cwd=project, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    peaks, done = [0, 0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, done))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    done.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, stage)
    return Measured(wall, usage.ru_utime + usage.ru_stime, *peaks)


def _watch(pid: int, peaks: list[int], done: threading.Event) -> None:
    """Raise `peaks` to the process's largest RssAnon and VmHWM so far, until it ends."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            text = status.read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return
        for number, name in enumerate(("RssAnon", "VmHWM")):
            if found := re.search(rf"{name}:\s+(\d+)", text):  # a process that has ended has none
                peaks[number] = max(peaks[number], int(found[1]) * 1024)
        if done.wait(SAMPLED):
            return


def table(sizes: dict[int, dict[str, Measured]]) -> str:
    """Stages by sizes, in Markdown; each size but the first also as multiples of it."""
    first, *others = sizes
    header = ["stage"]
    for images in sizes:
        header += [f"{images:,}: wall", "processor", "an image", "own", "mapped"]
    for images in others:
        header += [f"{images / first:g}x images: processor", "own", "mapped"]
    lines = [header, ["---"] * len(header)]
    for stage in sizes[first]:
        cells = [stage]
        for images, measured in sizes.items():
            cells += _cells(measured[stage], images)
        for images in others:
            pairs = zip(sizes[images][stage][1:], sizes[first][stage][1:], strict=True)
            cells += [f"{large / small:.1f}x" for large, small in pairs]
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(measured: Measured, images: int) -> list[str]:
    wall, seconds, own, mapped = measured
    per_image = f"{1e6 * seconds / images:.0f} µs"
    return [f"{wall:.1f} s", f"{seconds:.1f} s", per_image, f"{own / 2**20:.0f} MB", f"{mapped / 2**20:.0f} MB"]


if __name__ == "__main__":
    main()
