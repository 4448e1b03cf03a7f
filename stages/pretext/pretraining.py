"""From Lab arrays to an encoder's folder: what `train_autoencoder` and `train_control` have in common."""

from pathlib import Path

import torch
from dvclive import Live

from stages.food101.manifest import read_manifest, subset_rows
from stages.pretext.autoencoder import Autoencoder, save_autoencoder
from stages.pretext.checkpoint import Checkpoint
from stages.pretext.training import Objective, Settings, evaluate, train
from stages.shared.device import device
from stages.shared.inputs import inputs_key, local_state
from stages.shared.outputs import open_array, whole_folder
from stages.shared.params import Params


def pretrain(name: str, objective: Objective, params: Params, stage: str, untrained: bool = False) -> None:
    """Build the autoencoder from `params.model`, train it and write data/encoders/<name> and data/training/<name>.

    The weights are drawn from `params.seed`, the encoder's first: every encoder of a seed starts from the same weights,
    and `random` is what all the others were before training.

    Args:
        name: of the encoder.
        stage: in dvc.yaml, whose declared inputs key the checkpoint.
        untrained: keep the weights as drawn; the series then hold their validation loss alone.
    """
    settings = Settings(
        epochs=params.train.epochs,
        batch_size=params.train.batch_size,
        learning_rate=params.train.learning_rate,
        weight_decay=params.train.weight_decay,
        warmup_fraction=params.train.warmup_fraction,
        gradient_clip=params.train.gradient_clip,
        lightness_jitter=params.train.lightness_jitter,
        precision=params.train.precision,
    )
    torch.manual_seed(params.seed)
    model = Autoencoder(
        in_channels=1,
        out_channels=objective.out_channels,
        block_out_channels=params.model.block_out_channels,
        layers_per_block=params.model.layers_per_block,
        latent_channels=params.model.latent_channels,
        norm_num_groups=params.model.norm_num_groups,
    ).to(device())
    # Held-out classes must not choose the epoch: they would no longer be unseen.
    in_domain = (subset_rows(read_manifest(), "validation").domain == "in").to_numpy()
    validation = open_array("data/lab/validation.npy")[in_domain]

    with Live(dir=f"data/training/{name}", dvcyaml=None, save_dvc_exp=False, report=None) as live:
        if untrained:
            for loss, value in evaluate(model, objective, validation, settings).items():
                live.log_metric(f"validation/{loss}", value)
        else:
            machine = f"{device()}, {torch.get_num_threads()} threads"
            checkpoint = Checkpoint(local_state("checkpoints"), inputs_key(stage, name, params, machine))
            array = open_array("data/lab/pretrain.npy")
            model = train(model, objective, array, validation, settings, params.seed, checkpoint, live)

    # DVCLive's summary is no series, and would be an error on the page of `dvc plots show`.
    Path(f"data/training/{name}/metrics.json").unlink()
    with whole_folder(f"data/encoders/{name}") as folder:
        save_autoencoder(model, folder)
    if not untrained:
        checkpoint.remove()
