"""Which images a batch has, and how it is made: functions of the seed, the epoch and the batch's number alone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from stages.compute.batches import Batch
from stages.training.augmentation import augment
from stages.training.distributed import Shard
from stages.training.images import Images
from stages.training.settings import Settings


def epoch_order(images: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of range(images)."""
    return np.random.default_rng([seed, epoch]).permutation(images)


@dataclass(frozen=True)
class BatchSampler:
    """Splits each epoch's order of `images` into batches; the last of an epoch may be smaller."""

    images: int
    batch_size: int
    seed: int

    @property
    def epoch_steps(self) -> int:
        """Batches of an epoch."""
        return math.ceil(self.images / self.batch_size)

    def images_before(self, step: int) -> int:
        """How many images the first `step` batches of a training have."""
        epochs, number = divmod(step, self.epoch_steps)
        return epochs * self.images + number * self.batch_size

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """The numbers of an epoch's batches, from `start` on, and the rows of their images."""
        order = epoch_order(self.images, self.seed, epoch)
        for number in range(start, self.epoch_steps):
            # Sorted, as a memory map is read faster in order.
            yield number, np.sort(order[number * self.batch_size : (number + 1) * self.batch_size])

    def rows(self, step: int) -> np.ndarray:
        """The rows of one batch, by its number in the whole training."""
        epoch, number = divmod(step, self.epoch_steps)
        return next(self.batches(epoch, number))[1]


def make_batch(
    images: Images, rows: np.ndarray, shard: Shard, settings: Settings, seed: list[int], device: torch.device
) -> Batch:
    """The images of `rows` that are this process's, augmented, on `device`.

    Args:
        seed: of the training, the epoch, and the number of the batch.
    """
    loaded = images.batch(rows[shard.slice], device)
    lab, unjittered = augment(loaded.lab, settings.lightness_jitter, settings.crop, *seed, shard)
    return Batch(lab, unjittered, loaded.labels)
