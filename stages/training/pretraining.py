"""From Lab arrays to an encoder's folder: what `train_autoencoder` and `train_control` have in common."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from stages.compute.device import device, set_deterministic
from stages.dataset.arrays import open_lab8, seed_folder
from stages.models.pretrained import PretrainedEncoder
from stages.runtime.files import whole_folder
from stages.runtime.schema import Model, Params
from stages.training.budget import equal_compute
from stages.training.card import card_values
from stages.training.checkpoint import shared_checkpoint
from stages.training.checkpoint_key import inputs_key
from stages.training.cuda_errors import explain_cuda_errors
from stages.training.distributed import ALONE, Processes, init_distributed
from stages.training.evaluation import evaluate
from stages.training.images import Images
from stages.training.loop import train
from stages.training.objective import Objective
from stages.training.online_probe import OnlineProbe
from stages.training.series import open_series
from stages.training.settings import Settings
from stages.training.subsets import labelled_images, online_probe_images, swapped_images, unlabelled_images


def pretrain(
    name: str,
    objective: Objective,
    params: Params,
    stage: str,
    description: str,
    *,
    objective_settings: dict | None = None,
    trained: bool = True,
    labelled: bool = False,
    swapped: bool = False,
    compute_of: Objective | None = None,
    shared: bool = True,
) -> None:
    """Train an encoder once for each of `params.pretext.seeds` and write data/encoders/<name> and data/training/<name>.

    Pretraining seed 0 lies at the top of these folders, seed k in seed_<k>. Its weights are drawn from `params.seed` +
    k, the encoder's first: every encoder of a seed that sees lightness starts from the same weights, and `random` is
    what all the others were before training.

    Where several processes run this together, each trains on its shard of every batch, and the main one writes.

    Args:
        name: of the encoder.
        stage: in dvc.yaml, whose declared inputs key the checkpoints.
        description: of the encoder, for its model card.
        objective_settings: as in data/objectives/<name>/train.json, for the model card; None for most controls.
        trained: False: keep the weights as drawn; the series then hold their validation loss alone.
        labelled: train on the in-domain probe images with their labels, for as many steps, rather than on the
            `pretrain` ones.
        swapped: train on the images of `swapped_images`.
        compute_of: train for as many FLOPs as this objective takes in `train.epochs`.
        shared: whether processes that were started together share each batch; False: this one trains alone.
    """
    used = device()
    processes = init_distributed(used) if shared else ALONE
    images, validation = (labelled_images if labelled else swapped_images if swapped else unlabelled_images)()
    settings, budget = Settings.from_params(params.train), ""
    if labelled:
        settings = _for_as_many_steps(settings, len(images))
    if compute_of:
        settings, budget = equal_compute(settings, objective, compute_of, params.model, images.image_size)
    probe = OnlineProbe(online_probe_images(), settings.precision) if params.train.online_probe else None
    images, validation = _in_gpu_memory(images, used), _in_gpu_memory(validation, used)
    encoders, cards, checkpoints = {}, {}, []
    with processes.together():
        key = _checkpoint_key(stage, name, params, processes, used) if trained else ""
        for number in range(params.pretext.seeds):
            seed, folder = params.seed + number, seed_folder(number)
            torch.manual_seed(seed)
            model = objective.build(params.model).to(used)
            companion = objective.companion(used)
            set_deterministic(used, settings.deterministic)
            with open_series(Path("data/training", name, folder), processes.is_main) as live, explain_cuda_errors():
                if trained:
                    checkpoint = shared_checkpoint(f"{key}-{number}", processes)
                    model = train(
                        *(model, objective, images, validation, settings, seed),
                        *(checkpoint, live, companion, probe, processes),
                    )
                    checkpoints.append(checkpoint)
                else:
                    losses = evaluate(model, objective, validation, settings)
                    record = {f"validation/{loss}": value for loss, value in losses.items()}
                    record |= probe.scores(objective.encoder(model)) if probe else {}
                    for series, value in record.items():
                        live.log_metric(series, value)
            encoders[folder] = objective.encoder(model)
            encoders[folder].image_size = images.image_size
            cards[folder] = card_values(name, stage, description, params, objective_settings, trained, number, budget)
    processes.destroy()
    if processes.is_main:
        _save(encoders, cards, name)
        for checkpoint in checkpoints:
            checkpoint.remove()


def _checkpoint_key(stage: str, name: str, params: Params, processes: Processes, used: torch.device) -> str:
    """The inputs', which must be the same on all machines, and what else affects rounding: device and threads."""
    inputs = inputs_key(stage, name, params)
    processes.require_equal(inputs, "code, data, parameters or packages")
    return f"{inputs}-{used.type}-{torch.get_num_threads()}"


def _for_as_many_steps(settings: Settings, images: int) -> Settings:
    """As many epochs of so many images as take the steps of the `pretrain` images' epochs, rounded up."""
    budget = settings.epochs * len(open_lab8("pretrain"))
    return replace(settings, epochs=math.ceil(budget / images))


def fit(
    name: str,
    fit_encoder: Callable[[Images, Images, Model, int], tuple[PretrainedEncoder, dict[str, float]]],
    params: Params,
    stage: str,
    description: str,
) -> None:
    """As `pretrain`, for an encoder that is computed at once.

    Args:
        fit_encoder: see `stages.controls.control.FittedControl`.
    """
    images, validation = unlabelled_images()
    probe = OnlineProbe(online_probe_images(), params.train.precision) if params.train.online_probe else None
    encoders, cards = {}, {}
    for number in range(params.pretext.seeds):
        folder = seed_folder(number)
        encoder, losses = fit_encoder(images, validation, params.model, params.seed + number)
        encoder.image_size, encoders[folder] = images.image_size, encoder
        record = {f"validation/{loss}": value for loss, value in losses.items()}
        record |= probe.scores(encoder) if probe else {}
        with open_series(Path("data/training", name, folder), True) as live:
            for series, value in record.items():
                live.log_metric(series, value)
        cards[folder] = card_values(name, stage, description, params, None, False, number)
    _save(encoders, cards, name)


def _in_gpu_memory(images: Images, used: torch.device) -> Images:
    """The same images, in the memory of a GPU if they fit."""
    return images.to_device(used, torch.cuda.mem_get_info(used)[0]) if used.type == "cuda" else images


def _save(encoders: dict[str, PretrainedEncoder], cards: dict[str, dict], name: str) -> None:
    """Write all pretraining seeds' encoders, by their folders within the encoder's."""
    with whole_folder(f"data/encoders/{name}") as folder:
        for seed, encoder in encoders.items():
            encoder.save_pretrained(folder / seed, model_card_kwargs=cards[seed])
