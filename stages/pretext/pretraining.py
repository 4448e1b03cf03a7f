"""From Lab arrays to an encoder's folder: what `train_autoencoder` and `train_control` have in common."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from dvclive import Live

from stages.food101.manifest import domain_labels, read_manifest, subset_rows
from stages.pretext.adversary import Adversary
from stages.pretext.checkpoint import Checkpoint
from stages.pretext.encoder_files import save_autoencoder
from stages.pretext.images import Images
from stages.pretext.places import place
from stages.pretext.training import Objective, Settings, evaluate, train
from stages.shared.device import device
from stages.shared.inputs import inputs_key, local_state
from stages.shared.outputs import open_array, whole_folder
from stages.shared.params import Params


def pretrain(
    name: str,
    objective: Objective,
    params: Params,
    stage: str,
    *,
    untrained: bool = False,
    labelled: bool = False,
    adversary: Callable[[], Adversary] | None = None,
) -> None:
    """Train an encoder once for each of `params.pretext.seeds` and write data/encoders/<name> and data/training/<name>.

    Pretraining seed 0 lies at the top of these folders, seed k in seed_<k>. Its weights are drawn from `params.seed` +
    k, the encoder's first: every encoder of a seed that sees lightness starts from the same weights, and `random` is
    what all the others were before training.

    Args:
        name: of the encoder.
        stage: in dvc.yaml, whose declared inputs key the checkpoints.
        untrained: keep the weights as drawn; the series then hold their validation loss alone.
        labelled: train on the in-domain probe images with their labels, for as many steps, rather than on the
            `pretrain` ones.
        adversary: makes one afresh for each seed, where there is one.
    """
    images, validation = (labelled_images if labelled else unlabelled_images)()
    settings = Settings(**{field: getattr(params.train, field) for field in Settings.__dataclass_fields__})
    if labelled:
        budget = settings.epochs * len(open_array("data/lab/pretrain.npy"))
        settings = replace(settings, epochs=math.ceil(budget / len(images)))
    machine = f"{device()}, {torch.get_num_threads()} threads"
    key = "" if untrained else inputs_key(stage, name, params, machine)
    encoders, checkpoints = [], []
    for number in range(params.pretext.seeds):
        seed, series = params.seed + number, Path("data/training", name, place(number))
        torch.manual_seed(seed)
        model = objective.build(params.model).to(device())
        critic = adversary() if adversary else None
        with Live(dir=str(series), dvcyaml=None, save_dvc_exp=False, report=None) as live:
            if untrained:
                for loss, value in evaluate(model, objective, validation, settings).items():
                    live.log_metric(f"validation/{loss}", value)
            else:
                checkpoints.append(Checkpoint(local_state("checkpoints"), f"{key}-{number}"))
                model = train(model, objective, images, validation, settings, seed, checkpoints[-1], live, critic)
        # DVCLive's summary is no series, and would be an error on the page of `dvc plots show`.
        (series / "metrics.json").unlink()
        encoders.append(getattr(model, "autoencoder", model))

    with whole_folder(f"data/encoders/{name}") as folder:
        for number, encoder in enumerate(encoders):
            (folder / place(number)).mkdir(exist_ok=True)
            save_autoencoder(encoder, folder / place(number), image_size=images.lab8.shape[-1])
    for checkpoint in checkpoints:
        checkpoint.remove()


def unlabelled_images() -> tuple[Images, Images]:
    """The `pretrain` images, and the in-domain part of `validation`: held-out classes must not choose the epoch."""
    rows = subset_rows(read_manifest(), "validation")
    seen = (rows.domain == "in").to_numpy()
    return Images(open_array("data/lab/pretrain.npy")), Images(open_array("data/lab/validation.npy")[seen])


def labelled_images() -> tuple[Images, Images]:
    """The in-domain images of `probe` and of `validation`, with labels 0..K-1."""
    manifest, parts = read_manifest(), []
    for subset in ("probe", "validation"):
        rows = subset_rows(manifest, subset)
        seen = (rows.domain == "in").to_numpy()
        parts.append(Images(open_array(f"data/lab/{subset}.npy")[seen], domain_labels(rows)[seen]))
    return parts[0], parts[1]
