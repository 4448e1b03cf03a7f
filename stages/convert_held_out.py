"""Stage: the pretraining images of held-out classes, for the control that is trained on them.

Reads data/raw/ and data/split/manifest.csv; writes data/held_out/<control>.npy for each of `pretext.controls`, uint8
(N, 3, S, S): of `swapped`, row i for the i-th manifest row of the subset `unused`; of every other control, no rows.
Without `swapped` no photograph is read. A file for each, so that `train_control` of the others stays clean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stages.dataset.manifest import SWAPPED, domain_classes, read_manifest, subset_rows
from stages.food101.archive import find_archive, iterate_images
from stages.formats.npy import memory_mapped
from stages.photographs.conversion import convert_photographs
from stages.photographs.places import Places
from stages.runtime.entry_point import run
from stages.runtime.errors import StageError
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params

if TYPE_CHECKING:
    from pandas import DataFrame


def main() -> None:
    params = load_params()
    size, resize = params.lab.image_size, params.lab.resize
    manifest, archive = read_manifest(), find_archive()
    with whole_folder("data/held_out") as folder:
        for control in params.pretext.controls:
            path = folder / f"{control}.npy"
            if control != SWAPPED:
                np.save(path, np.empty((0, 3, size, size), np.uint8))
                continue
            check_matched(manifest)
            images = subset_rows(manifest, "unused").image
            with memory_mapped(path, (len(images), 3, size, size), "uint8") as array:
                convert_photographs(iterate_images(archive), Places([(array, images)]), size, resize, archive)


def check_matched(manifest: DataFrame) -> None:
    """Refuse a split that held out more classes than it left.

    Raises:
        StageError: naming the most that may be held out.
    """
    seen, held_out = (len(domain_classes(manifest, domain)) for domain in ("in", "out"))
    if seen < held_out:
        raise StageError(
            f"pretext.controls lists '{SWAPPED}', which trades held-out classes for as many seen ones: "
            f"split.held_out_classes must be at most {(seen + held_out) // 2}, half of the classes; got {held_out}. "
            f"Lower it, or take '{SWAPPED}' out of pretext.controls."
        )


if __name__ == "__main__":
    run(main)
