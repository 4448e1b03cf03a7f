"""From Lab arrays to an encoder's folder: what `train_autoencoder` and `train_control` have in common."""

import math
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from stages.compute.device import device, set_deterministic
from stages.dataset.arrays import open_lab8, seed_folder
from stages.dataset.manifest import domain_labels, read_manifest, subset_rows
from stages.losses.critic import Critic
from stages.models.files import save_encoder
from stages.runtime.errors import StageError
from stages.runtime.files import whole_folder
from stages.runtime.schema import Params
from stages.training.checkpoint import Checkpoint
from stages.training.checkpoint_key import inputs_key, local_state
from stages.training.distributed import Processes, init_distributed
from stages.training.images import Images
from stages.training.loop import Objective, Settings, evaluate, train


def pretrain(
    name: str,
    objective: Objective,
    params: Params,
    stage: str,
    *,
    untrained: bool = False,
    labelled: bool = False,
    adversary: Callable[[torch.device], Critic] | None = None,
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

    Where several processes run this together, each trains on its part of every batch, and the first writes.
    """
    chosen = device()
    processes = init_distributed(chosen)
    images, validation = (labelled_images if labelled else unlabelled_images)()
    settings = Settings.of(params.train)
    if labelled:
        budget = settings.epochs * len(open_lab8("pretrain"))
        settings = replace(settings, epochs=math.ceil(budget / len(images)))
    key = ""
    if not untrained:
        key = inputs_key(stage, name, params, f"{chosen.type}, {torch.get_num_threads()} threads")
    if chosen.type == "cuda":
        images = images.to_device(chosen, torch.cuda.mem_get_info(chosen)[0])
        validation = validation.to_device(chosen, torch.cuda.mem_get_info(chosen)[0])
    encoders, checkpoints = [], []
    for number in range(params.pretext.seeds):
        seed, series = params.seed + number, Path("data/training", name, seed_folder(number))
        torch.manual_seed(seed)
        model = objective.build(params.model).to(chosen)
        critic = adversary(chosen) if adversary else None
        set_deterministic(chosen, settings.deterministic)
        with _series(series, processes) as live:
            if untrained:
                for loss, value in evaluate(model, objective, validation, settings).items():
                    live.log_metric(f"validation/{loss}", value)
            else:
                checkpoints.append(_checkpoint(f"{key}-{number}", processes, chosen))
                with _explain_cuda_errors():
                    model = train(
                        model, objective, images, validation, settings, seed, checkpoints[-1], live, critic, processes
                    )
        encoders.append(getattr(model, "autoencoder", model))
    processes.destroy()
    if not processes.is_main:
        return

    with whole_folder(f"data/encoders/{name}") as folder:
        for number, encoder in enumerate(encoders):
            # DVCLive's summary is no series, and would be an error on the page of `dvc plots show`.
            Path("data/training", name, seed_folder(number), "metrics.json").unlink()
            (folder / seed_folder(number)).mkdir(exist_ok=True)
            save_encoder(encoder, folder / seed_folder(number), image_size=images.image_size)
    for checkpoint in checkpoints:
        checkpoint.remove()


def _checkpoint(key: str, processes: Processes, device: torch.device) -> Checkpoint:
    """The first process's, in all of them."""
    folder = local_state("checkpoints")
    own = Checkpoint(folder, key) if processes.is_main else None
    slot = processes.broadcast(own.slot if own else 0, device)
    return own or Checkpoint(folder, key, slot)


def _series(folder: Path, processes: Processes):
    """DVCLive's series in `folder`, as a context; None in it for all processes but the first."""
    if not processes.is_main:
        return nullcontext()
    from dvclive import Live

    return Live(dir=str(folder), dvcyaml=None, save_dvc_exp=False, report=None)


@contextmanager
def _explain_cuda_errors():
    """What a GPU cannot do, with the parameter that mends it: too large a batch, an operation in a fixed order."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise StageError(
            f"the GPU has too little memory ({str(error).splitlines()[0]}). Lower train.batch_size, or set "
            "STAGES_DEVICE=cpu."
        ) from None
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise StageError(
            f"this objective needs an operation that this device cannot compute with train.deterministic: true "
            f"({str(error).splitlines()[0]}). Set it to false: results then differ in the last digits from run to run."
        ) from None


def unlabelled_images() -> tuple[Images, Images]:
    """The `pretrain` images, and the in-domain part of `validation`: held-out classes must not choose the epoch."""
    manifest = read_manifest()
    pretrain, validation = (subset_rows(manifest, subset) for subset in ("pretrain", "validation"))
    seen = (validation.domain == "in").to_numpy()
    return (
        Images(open_lab8("pretrain", manifest), names=pretrain.image.to_numpy()),
        Images(open_lab8("validation", manifest)[seen], names=validation.image[seen].to_numpy()),
    )


def labelled_images() -> tuple[Images, Images]:
    """The in-domain images of `probe` and of `validation`, with labels 0..K-1."""
    manifest, parts = read_manifest(), []
    for subset in ("probe", "validation"):
        rows = subset_rows(manifest, subset)
        seen = (rows.domain == "in").to_numpy()
        parts.append(Images(open_lab8(subset, manifest)[seen], domain_labels(rows)[seen], rows.image[seen].to_numpy()))
    return parts[0], parts[1]
