"""Stage: the archive's photographs as 8-bit Lab arrays, one file a subset.

Reads data/raw/ and data/split/manifest.csv; writes data/lab/<subset>.npy, uint8
(N, 3, S, S), row i for the i-th manifest row of that subset. The archive is streamed once, never unpacked.
"""

import contextlib
import os
import sys
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tqdm import tqdm

from stages.dataset.manifest import SUBSETS, read_manifest, subset_rows
from stages.food101.archive import find_archive, iterate_images
from stages.formats.npy import memory_mapped
from stages.photographs.decoding import photograph_to_lab8
from stages.runtime.entry_point import run
from stages.runtime.errors import StageError
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    size, resize = params.lab.image_size, params.lab.resize
    manifest, archive = read_manifest(), find_archive()
    workers = _workers()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # about metadata; what matters is told below

    with contextlib.ExitStack() as files, ThreadPoolExecutor(workers) as pool:
        missing = {}  # image -> where its pixels go
        for subset in SUBSETS["in"]:
            images = subset_rows(manifest, subset).image
            array = files.enter_context(memory_mapped(f"data/lab/{subset}.npy", (len(images), 3, size, size), "uint8"))
            missing.update((image, (array, row)) for row, image in enumerate(images))
        bar = files.enter_context(tqdm(total=len(missing), unit="image", desc="to Lab", disable=None))

        problems, notes = [], []
        decoding = deque()  # never more than a few: memory does not grow with the archive

        def collect_first():
            image, array, row, lab8 = decoding.popleft()
            try:
                array[row] = lab8.result()
            except ValueError as error:
                problems.append(f"{image}: cannot be decoded ({error})")
            bar.update()

        for image, content in iterate_images(archive):
            if image in missing:
                tell = partial(_note, notes, image)
                lab8 = pool.submit(photograph_to_lab8, content, size, resize, tell)
                decoding.append((image, *missing.pop(image), lab8))
            if len(decoding) > 4 * workers:
                collect_first()
        while decoding:
            collect_first()

        problems += [f"{image}: listed in the archive's meta, but not among its images" for image in missing]
        if problems:
            raise StageError(
                f"{len(problems)} of the images of {archive} cannot be used:\n  "
                + "\n  ".join(sorted(problems))
                + "\nFetch the archive again, or name a sound one in data.url."
            )
    if notes:
        others = f" (and {len(notes) - 1:,} more)" if len(notes) > 1 else ""
        print(f"note: {min(notes)}{others}", file=sys.stderr)


def _note(notes: list[str], image: str, line: str) -> None:
    notes.append(f"{image}: {line}")


def _workers() -> int:
    given = os.environ.get("STAGES_WORKERS", str(os.cpu_count() or 1))
    if not given.isdecimal() or int(given) == 0:
        raise StageError(f"STAGES_WORKERS must be a whole number of threads, at least 1; got '{given}'")
    return int(given)


if __name__ == "__main__":
    run(main)
