"""A training epoch from stored data, SmoothL1 + LPIPS, at 64 and at 128 px."""

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import straightforward
from benchmarks.limits import matmul_rate
from benchmarks.measure import Row, Scale, in_turns
from benchmarks.models import lab_images, network, objective, study, training_images
from benchmarks.pictures import draw_photographs
from stages.pretext.batches import augment
from stages.pretext.images import Batch, Images
from stages.shared.device import autocast, device


def measure(scale: Scale) -> list[Row]:
    params = study()
    rate = matmul_rate(params.train.precision, quick=scale.quick)
    return [_epoch(scale, size, rate) for size in (64, 128)]


def _epoch(scale: Scale, size: int, rate: float) -> Row:
    params, count = study(), training_images(scale, size)
    batch = min(params.train.batch_size, count)
    files = draw_photographs(min(count, 96))
    images = Images(lab_images(files, size, count))
    repeated = [files[number % len(files)] for number in range(count)]
    if device().type == "cuda":  # the straightforward way takes minutes for what a GPU does in a second
        repeated = repeated[: count // 20]
    model, goal, metric = network(params), objective(params), objective(params).perceptual
    optimizer = torch.optim.AdamW(model.parameters(), params.train.learning_rate, fused=device().type == "cuda")

    def step(rows: np.ndarray, number: int) -> None:
        loaded = images.batch(rows, device())
        lab, unjittered = augment(loaded.lab, params.train.lightness_jitter, params.train.crop, 0, 0, number)
        with autocast(device(), params.train.precision):
            losses = goal.losses(model(lab), Batch(lab, unjittered))
        optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), params.train.gradient_clip)
        optimizer.step()

    def epoch() -> None:
        order = np.random.default_rng(0).permutation(count)
        for number, start in enumerate(range(0, count, batch)):
            step(np.sort(order[start : start + batch]), number)

    with FlopCounterMode(display=False) as counter:
        step(np.arange(batch), 0)
    flops = counter.get_total_flops() / batch
    epoch()
    # The straightforward way gets a model of its own: both go on training from where they were.
    other = network(params)
    ours, theirs = in_turns(
        epoch,
        lambda: straightforward.train_epoch(other, repeated, size, batch, metric, device()),
        scale.repeats,
    )
    rates = [count / took for took in ours], [len(repeated) / took for took in theirs]
    return Row(
        f"training epoch, {size} px", "2x, 70 % of the matrix rate", "images/s", *rates,
        limit=f"{params.train.precision} matrix product, {rate / 1e9:.0f} GFLOP/s; {flops / 1e9:.1f} GFLOP an image",
        share=max(rates[0]) * flops / rate,
    )  # fmt: skip
