"""Extracting every layer of an encoder, beside the forward pass alone."""

import numpy as np
import torch

from benchmarks import straightforward
from benchmarks.measure import Row, Scale, in_turns, seconds
from benchmarks.models import lab_images, network, study
from benchmarks.pictures import draw_photographs
from stages.compute.batches import load_batch
from stages.compute.device import autocast, device
from stages.features.extraction import BATCH, extract_features, layer_shapes

SIZE = 64


def measure(scale: Scale) -> list[Row]:
    params = study()
    count = scale.size(256 if device().type == "cpu" else 20_000, 8)
    files = draw_photographs(min(count, 64))
    array = lab_images(files, SIZE, count)
    model, layers = network(params).eval(), params.latents.layers
    shapes = layer_shapes(model, layers, SIZE, params.latents.features)
    outputs = {layer: np.empty((count, 1, *shape), np.float16) for layer, shape in shapes.items()}
    parts = [load_batch(array, np.s_[start : start + BATCH], device()) for start in range(0, count, BATCH)]
    forward = []

    @torch.inference_mode()
    def alone():
        with autocast(device(), params.latents.precision):
            for part in parts:
                model.activations(part)

    def ours():
        extract_features(model, array, outputs, params.latents.precision)
        forward.append(seconds(alone))

    # The forward pass is timed beside each turn and taken off it again.
    repeated = [files[number % len(files)] for number in range(min(count, 2000))]
    alone()
    took, theirs = in_turns(
        ours, lambda: straightforward.encode_all(model, repeated, SIZE, BATCH, device()), scale.repeats
    )
    own = [whole - part for whole, part in zip(took, forward, strict=True)]
    shares = [part / each for part, each in zip(forward, own, strict=True)]
    return [
        Row(
            "extracting latents, 64 px, all layers", "85 % of the forward pass", "images/s",
            [count / each for each in own], [len(repeated) / each for each in theirs],
            limit=f"the encoder's forward pass alone, {count / min(forward):.0f} images/s",
            share=float(np.median(shares)),
        )
    ]  # fmt: skip
