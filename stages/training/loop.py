"""The training loop."""

from __future__ import annotations

import math
import sys
from contextlib import nullcontext
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from stages.compute.batches import Batch
from stages.compute.device import autocast
from stages.losses.critic import Critic
from stages.objectives.colorization import painted
from stages.runtime.errors import StageError
from stages.runtime.interrupts import Interrupted, defer_interrupts
from stages.runtime.schema import Model, Train
from stages.training.augmentation import augment
from stages.training.batches import epoch_order
from stages.training.checkpoint import Checkpoint
from stages.training.distributed import Processes
from stages.training.images import Images
from stages.training.nonfinite import NonFiniteMonitor, diverged
from stages.training.optimizers import build_optimizers

if TYPE_CHECKING:
    from dvclive import Live


ALONE = Processes()
AGREE_STEPS = 20  # after which several processes ask the first whether a checkpoint is due: asking makes a GPU wait


class Objective(Protocol):
    """What a network is asked to make of an image."""

    def build(self, model: Model) -> nn.Module:
        """An untrained network; called on (N, 3, S, S) float32 Lab it gives its output."""

    def losses(self, output, batch: Batch) -> dict[str, torch.Tensor]:
        """Scalars by name, `loss` the one to minimise."""


@dataclass(frozen=True)
class Settings:
    """How long and how fast: `train.*` of the parameters, with their meaning there."""

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    warmup_fraction: float
    gradient_clip: float
    lightness_jitter: float
    crop: float
    precision: str
    deterministic: bool

    @classmethod
    def of(cls, train: Train) -> Settings:
        """Of the parameters."""
        return cls(**{field.name: getattr(train, field.name) for field in fields(cls)})


def learning_rate_at(step: int, steps: int, peak: float, warmup_fraction: float) -> float:
    """A line from 0 to `peak` over the first `warmup_fraction` of all steps, then half a cosine down to 0."""
    warmup = warmup_fraction * steps
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1.0, steps - warmup)))


def train(
    model: nn.Module,
    objective: Objective,
    images: Images,
    validation: Images,
    settings: Settings,
    seed: int,
    checkpoint: Checkpoint,
    live: Live | None,
    adversary: Critic | None = None,
    processes: Processes = ALONE,
) -> nn.Module:
    """Train, and return the model as it was after the epoch of the lowest validation loss.

    The state after any step is a function of the arguments alone: a run that is interrupted and resumes from
    `checkpoint` ends in the same bytes as one that is not.

    Args:
        images, validation: to train on, and to choose the epoch on.
        seed: of the order and the augmentation of the batches.
        live: DVCLive's series: train/* and validation/* losses an epoch and the learning rate; None: not written.
        adversary: adds its loss to that of painting; it does not count in the choice of the epoch, as its scale drifts.
        processes: that share each batch, of which this is one. All return the same model, and the first writes.

    Raises:
        StageError: when a loss or the gradient is not finite: with the step and its images. The newest checkpoint is
            then of a step before it.
    """
    device = next(model.parameters()).device
    optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate, settings.weight_decay)
    epoch_steps = math.ceil(len(images) / settings.batch_size)
    steps = settings.epochs * epoch_steps
    step, sums, history, best_loss, best_weights = 0, {}, [], math.inf, _copy(model)

    if state := checkpoint.load():
        model.load_state_dict(state["model"])
        for optimizer, own in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)
        step, sums, history = state["step"], state["sums"], state["history"]
        best_loss, best_weights = state["best_loss"], state["best_weights"]
        if adversary:
            adversary.resume(state["adversary"])
        if processes.is_main:
            print(f"resuming at step {step} of {steps}, from {checkpoint.path}")
        sums = {name: total.to(device) for name, total in sums.items()}
    for epoch, record in enumerate(history):
        _log(live, epoch, record)

    def save():
        if not processes.is_main:
            return
        checkpoint.save(
            dict(
                model=model.state_dict(), optimizers=[each.state_dict() for each in optimizers], step=step,
                sums=sums, history=history, best_loss=best_loss, best_weights=best_weights,
                adversary=adversary.state() if adversary else {},
            )
        )  # fmt: skip

    def stop_if_diverged():
        if (first := monitor.first_step()) is None:
            return
        epoch, number = divmod(first, epoch_steps)
        rows = _rows(epoch_order(len(images), seed, epoch), number, settings.batch_size)
        names = [f"row {row}" for row in rows] if images.names is None else images.names[rows].tolist()
        raise diverged(first, steps, epoch, names, checkpoint, write=processes.is_main)

    monitor = NonFiniteMonitor(device)
    done = step // epoch_steps * len(images) + step % epoch_steps * settings.batch_size
    silent = None if processes.is_main else True  # None: where the output is no terminal
    bar = tqdm(total=settings.epochs * len(images), initial=done, unit="image", desc="training", disable=silent)
    # Between steps the state is whole, and can be saved when the run is interrupted. Where several processes take a
    # step together, one that waits for the end of its step may wait for one that has gone.
    undivided = defer_interrupts if processes.count == 1 else nullcontext
    try:
        while len(history) < settings.epochs:
            if step // epoch_steps > len(history):
                stop_if_diverged()
                epoch = len(history)
                train_losses = _means(sums, len(images), f"training, epoch {epoch + 1}")
                validation_losses = evaluate(model, objective, validation, settings, processes)
                record = {f"train/{name}": value for name, value in train_losses.items()}
                record |= {f"validation/{name}": value for name, value in validation_losses.items()}
                record["learning_rate"] = learning_rate_at(
                    step - 1, steps, settings.learning_rate, settings.warmup_fraction
                )
                with undivided():
                    _log(live, epoch, record)
                    history.append(record)
                    sums = {}
                    if validation_losses["loss"] < best_loss:
                        best_loss, best_weights = validation_losses["loss"], _copy(model)
                    save()
                if processes.is_main:
                    losses_shown = f"train {train_losses['loss']:.4f}, validation {validation_losses['loss']:.4f}"
                    bar.write(f"epoch {epoch + 1} of {settings.epochs}: {losses_shown}")
                continue
            with undivided():
                epoch, number = divmod(step, epoch_steps)
                rows = _rows(epoch_order(len(images), seed, epoch), number, settings.batch_size)
                shard = processes.shard(len(rows))
                loaded = images.batch(rows[shard.slice], device)
                jitter, crop = settings.lightness_jitter, settings.crop
                lab, unjittered = augment(loaded.lab, jitter, crop, seed, epoch, number, shard)

                rate = learning_rate_at(step, steps, settings.learning_rate, settings.warmup_fraction)
                for optimizer in optimizers:
                    optimizer.param_groups[0]["lr"] = rate
                with autocast(device, settings.precision):
                    output = model(lab)
                    losses = objective.losses(output, Batch(lab, unjittered, loaded.labels))
                if adversary:
                    colored = painted(output, lab)
                    losses["critic"] = adversary.update(
                        colored.detach(), lab, [seed, epoch, number, 1], shard, processes
                    )
                    losses["adversarial"] = adversary.loss(colored)
                    losses["loss"] = losses["loss"] + adversary.weight * losses["adversarial"]
                model.zero_grad(set_to_none=True)
                (losses["loss"] * shard.weight).backward()
                losses = {name: value.detach() * shard.weight for name, value in losses.items()}
                gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
                processes.all_reduce([*gradients, *losses.values()])
                monitor.update(step, losses, torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip))
                if monitor.sync_is_free:
                    stop_if_diverged()
                for optimizer in optimizers:
                    optimizer.step()

                _add(sums, losses, len(rows))
                step += 1
                bar.update(len(rows))
            if step % epoch_steps and _due(checkpoint, step, processes, device):
                stop_if_diverged()
                save()
    except Interrupted:
        if processes.count == 1:
            stop_if_diverged()
            save()
            print(f"\nsaved at step {step} of {steps}: the same command goes on from there", file=sys.stderr)
        raise
    bar.close()
    model.load_state_dict(best_weights)
    return model.eval()


def _rows(order: np.ndarray, number: int, batch_size: int) -> np.ndarray:
    """Of the images of a batch; sorted, as a memory map is read faster in order."""
    return np.sort(order[number * batch_size : (number + 1) * batch_size])


@torch.no_grad()
def evaluate(
    model: nn.Module, objective: Objective, images: Images, settings: Settings, processes: Processes = ALONE
) -> dict[str, float]:
    """Mean losses, each image counting the same."""
    device = next(model.parameters()).device
    model.eval()
    sums = {}
    for rows in np.array_split(np.arange(len(images)), math.ceil(len(images) / settings.batch_size)):
        shard = processes.shard(len(rows))
        batch = images.batch(rows[shard.slice], device)
        with autocast(device, settings.precision):
            losses = objective.losses(model(batch.lab), batch)
        _add(sums, losses, shard.images)
    processes.all_reduce([*sums.values()])
    model.train()
    return _means(sums, len(images), "validation")


def _add(sums: dict[str, torch.Tensor], losses: dict[str, torch.Tensor], images: int) -> None:
    # Kept on the device: reading a value each step would make a GPU wait.
    for name, value in losses.items():
        sums[name] = sums.get(name, 0) + value.detach().double() * images


def _means(sums: dict[str, torch.Tensor], images: int, where: str) -> dict[str, float]:
    means = {name: (total / images).item() for name, total in sums.items()}
    if not all(map(math.isfinite, means.values())):
        raise StageError(
            f"the loss is not finite ({where}: {means}). Lower train.learning_rate or train.gradient_clip, or set "
            "train.precision to float32."
        )
    return means


def _due(checkpoint: Checkpoint, step: int, processes: Processes, device: torch.device) -> bool:
    if processes.count == 1:
        return checkpoint.due()
    return step % AGREE_STEPS == 0 and processes.any(processes.is_main and checkpoint.due(), device)


def _log(live: Live | None, epoch: int, record: dict[str, float]) -> None:
    if live is None:
        return
    live.step = epoch + 1
    for name, value in record.items():
        live.log_metric(name, value)


def _copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
