"""Conv probe: 3x3 convolutions with BatchNorm, global average pool, linear layer. The study's probe.

Trained on the maps of all probe images, each epoch on every image or its mirror image. The learning rate is selected on
validation images with probe seed 0; then one probe is trained at that rate for each other seed. No epoch is selected:
the last one counts. (The study kept the epoch that was best on its test set.)

Settings that matter, with the study's values:
    probe.channels          of the convolutions, one entry each: [128, 256]
    probe.dropout           of the pooled features: 0
    probe.epochs            10; the learning rate falls to 0 along a half cosine, the study's was constant
    probe.batch_size        32
    probe.learning_rates    of AdamW, to select from: [3e-4]
    probe.weight_decay      of AdamW
    probe.seeds             of weights, order and views: 1
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from stages.classifiers.conv import conv_log_probabilities
from stages.classifiers.network import build_conv_classifier
from stages.compute.device import autocast, device
from stages.probing.head import CurvePoint, FittedHead, Trial, select_hyperparameter
from stages.probing.layer_features import LayerFeatures
from stages.probing.scores import accuracy_and_loss
from stages.probing.source import ProbeRun
from stages.runtime.schema import Probe


def fit(run: ProbeRun, train: LayerFeatures, validation: LayerFeatures) -> FittedHead:
    """Select the learning rate with probe seed 0, then train a probe for each other seed."""
    rates, seeds = run.settings.learning_rates, run.settings.seeds
    images = (train.maps, train.labels), (validation.maps, validation.labels)
    options = {"classes": run.classes, "settings": run.settings, "device": device()}
    fits = [fit_conv_probe(*images, learning_rate=rate, seed=(run.seed, 0), **options) for rate in rates]
    trials = [
        Trial(rate, curve[-1].validation_accuracy, curve[-1].validation_loss)
        for rate, (_, curve) in zip(rates, fits, strict=True)
    ]
    best = select_hyperparameter(trials, "learning_rates")
    others = [
        fit_conv_probe(*images, learning_rate=rates[best], seed=(run.seed, index), **options)
        for index in range(1, seeds)
    ]
    probes = tuple(model for model, _ in (fits[best], *others))
    curves = tuple(point for _, curve in (*fits, *others) for point in curve)
    return FittedHead(probes, "learning_rate", tuple(trials), best, curves)


def predict(probe: nn.Sequential, features: LayerFeatures, settings: Probe) -> np.ndarray:
    """Log-probabilities (N, K) float32: the softmax of the logits, of images without their mirror images."""
    return conv_log_probabilities(probe, features.maps, settings.precision)


def fit_conv_probe(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    classes: int,
    learning_rate: float,
    seed: tuple[int, int],
    settings: Probe,
    device: torch.device,
) -> tuple[nn.Sequential, list[CurvePoint]]:
    """Train one probe for `settings.epochs` epochs; return it as the last one left it, with its learning curve.

    Weights, order, views and dropout depend on `seed` alone, so that all representations get the same draws. Same
    inputs, same machine: the same weights, bit for bit.

    Args:
        train: standardised features (N, V, C, H, W) float16, and labels (N,) int64 in 0..classes-1; N >= 2.
        validation: the same for the images of the curve; only view 0 is used.
        learning_rate: at the first step.
        seed: entropy of `numpy.random.SeedSequence`: (seed of the study, index of the probe's seed).
    """
    weights_seed, draws_seed, dropout_seed = (int(s) for s in np.random.SeedSequence(seed).generate_state(3))
    draws = torch.Generator().manual_seed(draws_seed)
    features, labels = (torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in train)
    images, views = features.shape[:2]
    curve = []
    # The caller's random numbers stay as they are: on the CPU, and on a GPU, which draws the dropout.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(weights_seed)
        model = build_conv_classifier(features.shape[2], settings.channels, classes, settings.dropout)
        model.to(device, memory_format=torch.channels_last)
        torch.manual_seed(dropout_seed)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        steps = settings.epochs * len(split_into_batches(torch.arange(images), settings.batch_size))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        for epoch in tqdm(range(1, settings.epochs + 1), desc="conv probe", unit="epoch", leave=False, disable=None):
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
            log_probabilities = conv_log_probabilities(model, validation[0], settings.precision)
            accuracy, validation_loss = accuracy_and_loss(log_probabilities, validation[1])
            curve.append(CurvePoint(seed[1], learning_rate, epoch, total.item() / images, validation_loss, accuracy))
    return model, curve


def split_into_batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """Split indices into batches; a last batch of one joins the batch before it.

    BatchNorm needs two values to compute a variance. No image is dropped.

    >>> [len(batch) for batch in split_into_batches(torch.arange(9), 4)]
    [4, 5]
    """
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
