"""Photographs of an archive to rows of 8-bit Lab arrays, several at a time."""

import os
import sys
import warnings
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from stages.photographs.decoding import photograph_to_lab8
from stages.photographs.places import Places
from stages.runtime.errors import StageError


def convert_photographs(
    photographs: Iterable[tuple[str, bytes]],
    places: Places,
    size: int,
    resize: str,
    archive: Path,
) -> None:
    """Fill rows of arrays with the photographs that are wanted, each seen once; other ones are not decoded.

    Args:
        photographs: "class/id" and the bytes of the file, in any order.
        places: rows of arrays (N, 3, size, size) uint8.
        size, resize: as in the group `lab` of the parameters.
        archive: for messages.

    Raises:
        StageError: naming every wanted photograph that is missing or cannot be decoded; or when STAGES_WORKERS is no
            number of threads.
    """
    workers = _workers()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # about metadata; what matters is reported below
    problems, notes = [], []
    decoding = deque()  # never more than a few: memory does not grow with the archive

    def collect_first():
        image, array, row, lab8 = decoding.popleft()
        try:
            array[row] = lab8.result()
        except ValueError as error:
            problems.append(f"{image}: cannot be decoded ({error})")
        bar.update()

    with (
        ThreadPoolExecutor(workers) as pool,
        tqdm(total=len(places), unit="image", desc="to Lab", disable=None) as bar,
    ):
        for image, content in photographs:
            if place := places.take(image):
                tell = partial(_note, notes, image)
                lab8 = pool.submit(photograph_to_lab8, content, size, resize, tell)
                decoding.append((image, *place, lab8))
            if len(decoding) > 4 * workers:
                collect_first()
        while decoding:
            collect_first()

    problems += [f"{image}: listed in the archive's meta, but not among its images" for image in places.left()]
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
