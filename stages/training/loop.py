"""The training loop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import torch
from torch import nn
from tqdm import tqdm

from stages.compute.device import autocast
from stages.runtime.interrupts import Interrupted, defer_interrupts
from stages.training.batches import BatchSampler, make_batch
from stages.training.checkpoint import Checkpoint
from stages.training.distributed import ALONE, InterruptedElsewhere, Processes
from stages.training.evaluation import evaluate, mean_losses
from stages.training.images import Images
from stages.training.nonfinite import NonFiniteMonitor
from stages.training.objective import Companion, Objective
from stages.training.online_probe import OnlineProbe
from stages.training.optimizers import build_optimizers, step_optimizers
from stages.training.series import log_epoch
from stages.training.settings import Settings, learning_rate_at
from stages.training.state import TrainingState

if TYPE_CHECKING:
    from dvclive import Live


def train(
    model: nn.Module,
    objective: Objective,
    images: Images,
    validation: Images,
    settings: Settings,
    seed: int,
    checkpoint: Checkpoint,
    live: Live | None,
    companion: Companion | None = None,
    probe: OnlineProbe | None = None,
    processes: Processes = ALONE,
) -> nn.Module:
    """Train, and return the model as it was after the epoch of the lowest validation loss.

    The state after any step follows from the arguments alone: a run resumed from `checkpoint` ends in the same bytes.

    Args:
        images, validation: to train on, and to choose the epoch on.
        seed: of the order and the augmentation of the batches.
        live: DVCLive's series: train/* and validation/* losses an epoch and the learning rate; None: not written.
        companion, probe: what trains beside the model, and what scores it each epoch. They do not choose the epoch.
        processes: that share each batch, of which this is one. All return the same model, and the main one writes.

    Raises:
        StageError: when a loss or the gradient is not finite. The newest checkpoint is then of an earlier step.
    """
    device = next(model.parameters()).device
    optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate, settings.weight_decay)
    state = TrainingState(model, optimizers, companion)
    sampler = BatchSampler(len(images), settings.batch_size, seed)
    steps = settings.epochs * sampler.epoch_steps
    _resume(state, checkpoint, live, steps, processes)
    monitor = NonFiniteMonitor(device, sampler, images.names, steps, checkpoint)
    bar = _progress_bar(sampler, state.step, steps, processes)
    network = processes.replicate(model)
    try:
        for epoch in range(len(state.history), settings.epochs):
            for number, rows in sampler.batches(epoch, start=state.step - epoch * sampler.epoch_steps):
                with defer_interrupts():
                    shard, batch_seed = processes.shard(len(rows)), [seed, epoch, number]
                    batch = make_batch(images, rows, shard, settings, batch_seed, device)
                    batch = objective.views(batch, batch_seed, shard)

                    with autocast(device, settings.precision):
                        output = network(batch.lab)
                        losses = objective.losses(output, batch)
                    if companion:
                        losses = companion.step(output, batch, losses, batch_seed, shard, processes)

                    model.zero_grad(set_to_none=True)
                    (losses["loss"] * (shard.weight * processes.count)).backward()  # of the processes' mean: the sum
                    losses = {name: value.detach() * shard.weight for name, value in losses.items()}
                    processes.all_reduce([*losses.values()])
                    gradient_norm = nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
                    monitor.update(state.step, losses, gradient_norm)

                    rate = learning_rate_at(state.step, steps, settings.learning_rate, settings.warmup_fraction)
                    step_optimizers(optimizers, rate)
                    state.end_step(losses, len(rows))
                    bar.update(len(rows))
                _end_step(state, monitor, checkpoint, processes, within_epoch=number + 1 < sampler.epoch_steps)
            monitor.check()
            _end_epoch(state, objective, validation, settings, live, checkpoint, probe, processes)
    except (Interrupted, InterruptedElsewhere):
        _save_interrupted(state, checkpoint, monitor, steps, processes)
        raise
    bar.close()
    model.load_state_dict(state.best_weights)
    return model.eval()


def _resume(state: TrainingState, checkpoint: Checkpoint, live: Live | None, steps: int, processes: Processes) -> None:
    """Continue from the checkpoint, if there is one, and write the series of its epochs again."""
    if saved := processes.broadcast(checkpoint.load() if checkpoint.is_owner else None):
        state.load_state_dict(saved)
        if processes.is_main:
            print(f"resuming at step {state.step} of {steps}, from {checkpoint.path}")
    for epoch, record in enumerate(state.history):
        log_epoch(live, epoch, record)


def _progress_bar(sampler: BatchSampler, step: int, steps: int, processes: Processes) -> tqdm:
    """Of the main process, where the output is a terminal."""
    total, done = sampler.images_before(steps), sampler.images_before(step)
    disable = None if processes.is_main else True  # None: where the output is no terminal
    return tqdm(total=total, initial=done, unit="image", desc="training", disable=disable)


def _save_interrupted(
    state: TrainingState, checkpoint: Checkpoint, monitor: NonFiniteMonitor, steps: int, processes: Processes
) -> None:
    """Save the last whole step: several processes end after the same one."""
    monitor.check()
    checkpoint.save(state.state_dict())
    if processes.is_main:
        print(f"\nsaved at step {state.step} of {steps}: the same command goes on from there", file=sys.stderr)


def _end_step(
    state: TrainingState, monitor: NonFiniteMonitor, checkpoint: Checkpoint, processes: Processes, within_epoch: bool
) -> None:
    """End where a process was interrupted, and save within an epoch where it is time."""
    device = next(state.model.parameters()).device
    agreeing = processes.agree_after(state.step, device)
    if agreeing:
        processes.stop_if_interrupted(device)
    if within_epoch and _due(checkpoint, agreeing, processes, device):
        monitor.check()
        checkpoint.save(state.state_dict())


def _due(checkpoint: Checkpoint, agreeing: bool, processes: Processes, device: torch.device) -> bool:
    """Whether to save within an epoch: in all processes alike, by the main one's clock, where they are `agreeing`."""
    if processes.count == 1:
        return checkpoint.due()
    return agreeing and processes.any(processes.is_main and checkpoint.due(), device)


def _end_epoch(
    state: TrainingState,
    objective: Objective,
    validation: Images,
    settings: Settings,
    live: Live | None,
    checkpoint: Checkpoint,
    probe: OnlineProbe | None,
    processes: Processes,
) -> None:
    """Validate, log, keep the weights if they are the best so far, and save."""
    epoch = len(state.history)
    train_losses = mean_losses(state.sums, state.images, f"training, epoch {epoch + 1}")
    validation_losses = evaluate(state.model, objective, validation, settings, processes)
    record = {f"train/{name}": value for name, value in train_losses.items()}
    record |= {f"validation/{name}": value for name, value in validation_losses.items()}
    record["learning_rate"] = state.learning_rate
    if probe:
        if processes.is_main:
            record |= probe.scores(objective.encoder(state.model))
        processes.wait()
    with defer_interrupts():
        log_epoch(live, epoch, record)
        state.end_epoch(record)
        checkpoint.save(state.state_dict())
    if processes.is_main:
        losses_shown = f"train {train_losses['loss']:.4f}, validation {validation_losses['loss']:.4f}"
        tqdm.write(f"epoch {epoch + 1} of {settings.epochs}: {losses_shown}")
