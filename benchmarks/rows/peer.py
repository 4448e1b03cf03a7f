"""Epochs of a training at 64 px, beside Hugging Face Accelerate's loop over JPEG files with two workers."""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import peer
from benchmarks.measure import Row, Scale, in_turns
from benchmarks.models import lab_images, network, objective, store_images, study, train_stored, training_images
from benchmarks.pictures import draw_photographs
from stages.compute.device import device, set_deterministic
from stages.training.settings import Settings

SIZE = 64
EPOCHS = 2  # the peer starts its workers once


def measure(scale: Scale) -> list[Row]:
    params, used, count = study(), device(), training_images(scale, SIZE)
    settings = replace(Settings.from_params(params.train), epochs=EPOCHS)
    goal = objective(params)
    set_deterministic(used, settings.deterministic)
    files = draw_photographs(min(count, 96))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        lab8 = lab_images(files, SIZE, len(files))
        converting = (time.perf_counter() - start) / len(files)
        images = store_images(Path(folder), np.resize(lab8, (count, *lab8.shape[1:])), used)
        # The workers take minutes for what a GPU does in seconds, so there they have fewer files.
        paths = [Path(folder, f"{number}.jpg") for number in range(count // 10 if used.type == "cuda" else count)]
        for number, path in enumerate(paths):
            path.write_bytes(files[number % len(files)])

        def ours() -> None:
            train_stored(Path(folder), params, goal, images, settings)

        def theirs() -> None:
            peer.train(network(params), goal, paths, SIZE, settings, used)

        train_stored(Path(folder), params, goal, images, replace(settings, epochs=1))  # what is slow only once
        own, other = in_turns(ours, theirs, scale.repeats)
    own = [EPOCHS * len(images) / took for took in own]
    other = [EPOCHS * len(paths) / took for took in other]
    return [
        Row(
            f"training, {SIZE} px, beside Accelerate's loop", "", "images/s", own, other,
            note=f"the ratio is to the peer's {statistics.median(other):.3g} images/s: a `DataLoader` with "
            f"{peer.WORKERS} workers decodes JPEG files; {EPOCHS} epochs each, the start of the workers included. "
            f"Converting, once for all epochs, is left out: {1000 * converting:.2g} ms an image on one thread",
        )
    ]  # fmt: skip
