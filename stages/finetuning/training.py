"""Fine-tune an encoder on labelled images, and predict with it."""

import copy
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from stages.color.lab import decode_lab8
from stages.compute.batches import load_batch
from stages.compute.device import autocast
from stages.finetuning.network import PREDICTION_BATCH, FinetunedClassifier, PooledStats
from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.runtime.schema import Finetune


class Start(NamedTuple):
    """What every fit of an encoder starts from: the encoder, which fits copy, and its pooled features' statistics."""

    encoder: Autoencoder | SplitBrain
    stats: PooledStats


def finetune(
    start: Start,
    lab8: torch.Tensor,
    labels: torch.Tensor,
    *,
    classes: int,
    learning_rate: float,
    seed: tuple[int, ...],
    settings: Finetune,
) -> FinetunedClassifier:
    """Train a copy of an encoder, and a linear layer, for `settings.steps` steps.

    Images come in passes of a random order, each image or, as probable, its mirror image; a batch has
    `settings.batch_size` images, or all where there are fewer. The weights of the linear layer, the order and the
    mirror images depend on `seed` alone, so that all encoders get the same. Same inputs, same machine: the same
    weights, bit for bit.

    Args:
        lab8: (N, 3, S, S) uint8 Lab, on the device of the encoder.
        labels: (N,) int64 in 0..classes-1, there too.
        learning_rate: of the first step; from there half a cosine to 0.
        seed: entropy of `numpy.random.SeedSequence`.
    """
    weights_seed, draws_seed = (int(s) for s in np.random.SeedSequence(seed).generate_state(2))
    draws = torch.Generator().manual_seed(draws_seed)
    device = lab8.device
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they are
        torch.manual_seed(weights_seed)
        model = FinetunedClassifier(copy.deepcopy(start.encoder), start.stats, classes).to(device)
    # Weights beyond the last block (decoder, latents) get no gradient, and AdamW leaves them alone.
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=settings.steps)
    model.train()
    rows = _batches(len(lab8), settings.batch_size, settings.steps, draws)
    for batch in tqdm(rows, desc="fine-tuning", unit="step", leave=False, disable=None):
        mirrored = torch.randint(2, (len(batch), 1, 1, 1), generator=draws).bool().to(device)
        batch = batch.to(device)
        lab = decode_lab8(lab8[batch])
        with autocast(device, settings.precision):
            logits = model(torch.where(mirrored, lab.flip(-1), lab))
        loss = F.cross_entropy(logits.float(), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.inference_mode()
def log_probabilities(model: FinetunedClassifier, lab8: np.ndarray, precision: str) -> np.ndarray:
    """Log-probabilities (N, classes) float32 of images (N, 3, S, S) uint8 Lab, without their mirror images."""
    device, parts = next(model.parameters()).device, []
    for first in range(0, len(lab8), PREDICTION_BATCH):
        lab = load_batch(lab8, np.s_[first : first + PREDICTION_BATCH], device)
        with autocast(device, precision):
            logits = model(lab)
        parts.append(F.log_softmax(logits.float(), dim=1).cpu())
    return torch.cat(parts).numpy()


def _batches(images: int, batch_size: int, steps: int, draws: torch.Generator) -> list[torch.Tensor]:
    """Row numbers of each step's batch: whole batches of passes over all images, one pass after another."""
    size = min(batch_size, images)
    passes = -(-steps * size // images)
    order = torch.cat([torch.randperm(images, generator=draws) for _ in range(passes)])
    return list(order[: steps * size].split(size))
