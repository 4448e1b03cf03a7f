"""The study's probe: two 3x3 convolutions with BatchNorm, an average pool and a linear layer.

The study trained it with AdamW for 10 epochs in batches of 32 at one learning rate, 3e-4, and kept the
epoch that was best on the test set. Here the learning rate is chosen on validation images, falls to zero
along a half cosine, and no epoch is chosen: the last one counts.

Two ideas that its report left untried are parameters: a deeper probe is a longer `probe.channels`, a 3x3 convolution
more for each entry, and `probe.dropout` drops that share of the pooled features before the linear layer.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from stages.classifiers.conv import build_conv_classifier, conv_log_probabilities
from stages.compute.device import autocast
from stages.probing.scores import accuracy_and_loss
from stages.runtime.schema import Probe


class Epoch(NamedTuple):
    """One point of a learning curve; losses are means over images, in nats."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


def fit_conv_probe(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    classes: int,
    learning_rate: float,
    seed: tuple[int, int],
    settings: Probe,
    device: torch.device,
) -> tuple[nn.Sequential, list[Epoch]]:
    """Train a probe for `settings.epochs` epochs; return it as the last one left it, with its curve.

    Each epoch takes every image once, in one of its views: a coin decides whether the mirror image stands
    in. Weights, order, coins and dropout depend on `seed` alone, so every representation meets the same draws.
    Same inputs, same machine: the same weights, bit for bit.

    Args:
        train: standardised features (N, V, C, H, W) float16, and labels (N,) int64 in 0..classes-1; N >= 2.
        validation: the same for the images of the curve; only view 0 is looked at.
        learning_rate: at the first step.
        seed: entropy of `numpy.random.SeedSequence`: (seed of the study, index of the probe's seed).
    """
    weights_seed, draws_seed, dropout_seed = (int(s) for s in np.random.SeedSequence(seed).generate_state(3))
    # What stands outside is left as it was: the generator of the CPU, and of a GPU that draws the dropout.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(weights_seed)
        model = build_conv_classifier(train[0].shape[2], settings.channels, classes, settings.dropout)
        model.to(device, memory_format=torch.channels_last)
        torch.manual_seed(dropout_seed)
        draws = torch.Generator().manual_seed(draws_seed)
        return model, _train(model, train, validation, learning_rate, draws, settings)


def _train(model, train, validation, learning_rate, draws, settings) -> list[Epoch]:
    device = next(model.parameters()).device
    features, labels = (torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in train)
    images, views = features.shape[:2]
    steps = settings.epochs * len(split_into_batches(torch.arange(images), settings.batch_size))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=settings.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    curve = []
    for epoch in range(1, settings.epochs + 1):
        model.train()
        total = torch.zeros((), device=device)
        order = torch.randperm(images, generator=draws)
        view = torch.randint(views, (images,), generator=draws)
        for batch in split_into_batches(order, settings.batch_size):
            inputs = features[batch.to(device), view[batch].to(device)].float()
            with autocast(device, settings.precision):
                logits = model(inputs.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), labels[batch.to(device)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach() * len(batch)
        predicted = conv_log_probabilities(model, validation[0], settings.precision)
        accuracy, validation_loss = accuracy_and_loss(predicted, validation[1])
        curve.append(Epoch(epoch, total.item() / images, validation_loss, accuracy))
    return curve


def split_into_batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """Split indices into batches; a last batch of one joins the batch before it.

    BatchNorm has no variance to divide by within a single vector. No image is dropped.

    >>> [len(batch) for batch in split_into_batches(torch.arange(9), 4)]
    [4, 5]
    """
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
