"""The encoder trained to tell by how much a photograph was rotated, from lightness alone.

Predicting image rotations (Gidaris, Singh and Komodakis 2018, arXiv 1803.07728), section 3.

Settings that matter:
    rotations       one of the four an image and step, drawn. The paper shows all four of an image at once; with equal
                    compute that would leave a quarter of the steps, or batches of a quarter of the photographs
    views           flipped, cropped and jittered like those of `vicreg`, more mildly
    head            linear, on the mean of the mid block's positions; layers after that stay as they were drawn
    epochs          as many FLOPs as `reconstruction` takes in `train.epochs`: without a decoder, more epochs
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from stages.classifiers.network import PositionMean
from stages.compute.batches import Batch, to_device
from stages.controls.control import Control, EncoderWithHead
from stages.controls.reconstruct_input import Reconstruction
from stages.formats.json import read_json
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.runtime.schema import Model
from stages.training.augmentation import augment
from stages.training.distributed import Shard
from stages.training.objective import Objective

TURNS = 4  # quarter turns: 0, 90, 180 and 270 degrees
SMALLEST_CROP = 0.6  # edge, in units of the image's
LIGHTNESS_JITTER = 0.2
VIEW, DRAW = 1, 3  # of the batch's random numbers: those of the view, those of the rotation


def control() -> Control:
    """The control, by data/objectives/rotation/train.json."""
    settings = read_json("data/objectives/rotation/train.json")
    return Control(Rotation(), compute_of=Reconstruction("lightness", settings["output_stride"]))


@dataclass
class Rotation(Objective):
    """L of a rotated image -> its rotation, by cross-entropy over four."""

    def build(self, model: Model) -> EncoderWithHead:
        """An untrained network."""
        autoencoder = build_autoencoder(model, input_channels="lightness", out_channels=1)
        return EncoderWithHead(
            autoencoder, "mid", nn.Sequential(PositionMean(), nn.Linear(model.block_out_channels[-1], TURNS))
        )

    def views(self, batch: Batch, seed: list[int], shard: Shard) -> Batch:
        """One view an image, turned counter-clockwise by `labels` (N,) int64 quarter turns."""
        lab, _ = augment(batch.unjittered, LIGHTNESS_JITTER, SMALLEST_CROP, *seed, shard, view=VIEW)
        turns = np.random.default_rng([*seed, DRAW]).integers(0, TURNS, shard.batch_size)[shard.slice]
        lab = torch.stack([image.rot90(int(turn), (-2, -1)) for image, turn in zip(lab, turns, strict=True)])
        return Batch(lab, lab, to_device(turns, lab.device))

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss` in nats and `accuracy` in [0, 1], scalars; `output` (N, 4)."""
        accuracy = (output.argmax(dim=1) == batch.labels).double().mean()
        return {"loss": F.cross_entropy(output.float(), batch.labels), "accuracy": accuracy}

    def encoder(self, network: EncoderWithHead) -> Autoencoder:
        """Without the head."""
        return network.autoencoder
