"""Stage: the archive's photographs as 8-bit Lab arrays, one file a subset.

Reads data/raw/ and data/split/manifest.csv; writes data/lab/<subset>.npy, uint8
(N, 3, S, S), row i for the i-th manifest row of that subset. The archive is streamed once, never unpacked.
"""

import contextlib

from stages.dataset.manifest import SUBSETS, read_manifest, subset_rows
from stages.food101.archive import find_archive, iterate_images
from stages.formats.npy import memory_mapped
from stages.photographs.conversion import convert_photographs
from stages.photographs.places import Places
from stages.runtime.entry_point import run
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    size, resize = params.lab.image_size, params.lab.resize
    manifest, archive = read_manifest(), find_archive()
    with contextlib.ExitStack() as files:
        subsets = []
        for subset in SUBSETS["in"]:
            images = subset_rows(manifest, subset).image
            array = files.enter_context(memory_mapped(f"data/lab/{subset}.npy", (len(images), 3, size, size), "uint8"))
            subsets.append((array, images))
        convert_photographs(iterate_images(archive), Places(subsets), size, resize, archive)


if __name__ == "__main__":
    run(main)
