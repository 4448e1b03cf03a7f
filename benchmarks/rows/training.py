"""A training epoch from stored data, SmoothL1 + LPIPS, at 64 and at 128 px."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import straightforward
from benchmarks.limits import computed_precision, matmul_rate
from benchmarks.measure import Row, Scale, in_turns
from benchmarks.models import lab_images, network, objective, store_images, study, train_stored, training_images
from benchmarks.pictures import draw_photographs
from stages.compute.device import autocast, device, set_deterministic
from stages.training.settings import Settings


def measure(scale: Scale) -> list[Row]:
    precision = computed_precision(study().train.precision, device())
    rate = matmul_rate(precision, device(), quick=scale.quick)
    return [_epoch(scale, size, precision, rate) for size in (64, 128)]


def _epoch(scale: Scale, size: int, precision: str, rate: float) -> Row:
    params, used, count = study(), device(), training_images(scale, size)
    settings = replace(Settings.from_params(params.train), epochs=1)
    batch = min(settings.batch_size, count)
    files = draw_photographs(min(count, 96))
    repeated = [files[number % len(files)] for number in range(count)]
    if used.type == "cuda":  # the straightforward way takes minutes for what a GPU does in a second
        repeated = repeated[: count // 20]
    goal = objective(params)
    set_deterministic(used, settings.deterministic)

    with tempfile.TemporaryDirectory() as folder:
        images = store_images(Path(folder), lab_images(files, size, count), used)

        def epoch() -> None:
            train_stored(Path(folder), params, goal, images, settings)

        model = network(params)
        with FlopCounterMode(display=False) as counter, autocast(used, settings.precision):
            loaded = images.batch(np.arange(batch), used)
            goal.losses(model(loaded.lab), loaded)["loss"].backward()
        flops = counter.get_total_flops() / batch
        epoch()
        ours, theirs = in_turns(
            epoch,
            lambda: straightforward.train_epoch(model, repeated, size, batch, goal.perceptual, used),
            scale.repeats,
        )
    rates = [count / took for took in ours], [len(repeated) / took for took in theirs]
    return Row(
        f"training epoch, {size} px", "2x, 70 % of the matrix rate", "images/s", *rates,
        limit=f"{precision} matrix product, {rate / 1e9:.0f} GFLOP/s; {flops / 1e9:.1f} GFLOP an image",
        share=float(np.median(rates[0])) * flops / rate,
        note=f"{count} images; building the network, one validation image and a checkpoint included",
    )  # fmt: skip
