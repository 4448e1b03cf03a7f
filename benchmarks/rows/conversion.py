"""Archive to Lab arrays: 512 px photographs to 128 px."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.limits import jpeg_rate
from benchmarks.measure import Row, Scale, in_turns, seconds
from benchmarks.pictures import draw_photographs, write_archive
from benchmarks.straightforward import Photographs
from stages.dataset.manifest import SUBSETS, ManifestRow, write_manifest
from stages.photographs.decoding import REDUCING_GAP, photograph_to_lab8

SIZE = 128
ROOT = Path(__file__).parents[2]
# The stage in a process of its own: how long its work took, and the most memory it held, in bytes.
STAGE = r"""
import json, re, time
from stages import convert_to_lab
start = time.perf_counter()
convert_to_lab.main()
took = time.perf_counter() - start
# Not getrusage: its peak holds what the parent had before this program was loaded.
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([took, peak]))
"""


def measure(scale: Scale) -> list[Row]:
    files = draw_photographs(scale.size(96, 8))
    ours, theirs = in_turns(
        lambda: [photograph_to_lab8(content, SIZE, "crop") for content in files],
        lambda: [sample for sample in Photographs(files, SIZE)],
        scale.repeats,
    )
    limit = jpeg_rate(files, round(REDUCING_GAP * SIZE))
    rates = [[len(files) / each for each in way] for way in (ours, theirs)]
    one = Row(
        "archive to Lab, 512 to 128 px, one thread", "5x", "images/s", *rates,
        limit=f"JPEG decoding alone, {limit:.0f} images/s", share=statistics.median(rates[0]) / limit,
        note="the straightforward way decodes a photograph twice, and again in every epoch",
    )  # fmt: skip
    return [one, *_stage(scale, files)]


def _stage(scale: Scale, files: list[bytes]) -> list[Row]:
    """The stage itself on an archive of some thousand images, with one worker and with two."""
    count = scale.size(2400, 24)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "data/raw").mkdir(parents=True)
        write_archive(project / "data/raw/food-101.tar.gz", [files[number % len(files)] for number in range(count)])
        params = yaml.safe_load((ROOT / "profiles/food101.yaml").read_text())
        params["lab"]["image_size"] = SIZE
        params["split"] |= {"held_out_classes": 2, "probe_fraction": 0.3, "validation_fraction": 0.3}
        (project / "params.yaml").write_text(yaml.safe_dump(params))
        with contextlib.chdir(project):
            write_manifest(_manifest_rows(count))
        both = [[_run(project, workers) for workers in (2, 1)] for _ in range(scale.repeats)]
    two, one = zip(*both, strict=True)
    speed = Row(
        "the same stage with two threads, beside one", "1.9x", "images/s",
        [count / took for took, _ in two], [count / took for took, _ in one],
        note="the ratio is to one thread; unpacking the archive is one thread's work in either",
    )  # fmt: skip
    peaks = [peak / 2**20 for _, peak in two]
    memory = Row("memory of that stage at most", "under 600 MB", "MB", peaks, higher=False, note="two threads")
    return [speed, memory]


def _manifest_rows(count: int) -> list[ManifestRow]:
    rows = []
    for number in range(count):
        label = f"class_{number % 2}"
        subset = "test" if number >= count // 2 else SUBSETS["in"][number % 3]
        rows.append(ManifestRow(f"{label}/{number:06}", label, "in", subset))
    return sorted(rows)


def _run(project: Path, workers: int) -> tuple[float, float]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "STAGES_WORKERS": str(workers)}
    took = []
    seconds(lambda: took.append(subprocess.run(
        [sys.executable, "-c", STAGE], cwd=project, env=environment, check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ).stdout))  # fmt: skip
    return tuple(json.loads(took[0].splitlines()[-1]))
