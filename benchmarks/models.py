"""The study's network, its objective and some images, for the rows that train or encode."""

from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import Scale
from stages.compute.device import device
from stages.formats.npy import open_array
from stages.models.autoencoder import Autoencoder
from stages.objectives import colorization
from stages.objectives.colorization import Colorization
from stages.photographs.decoding import photograph_to_lab8
from stages.runtime.params import load_params
from stages.runtime.schema import Params
from stages.training.checkpoint import Checkpoint
from stages.training.images import Images
from stages.training.loop import train
from stages.training.settings import Settings

PROFILE = "profiles/food101.yaml"


def study() -> Params:
    """The parameters of the full study; LPIPS with untrained weights, which cost the same."""
    params = load_params(PROFILE)
    return params.model_copy(update={"loss": params.loss.model_copy(update={"lpips_backbone": "random"})})


def objective(params: Params) -> Colorization:
    return colorization.objective(colorization.settings(params)["train"], device())


def network(params: Params) -> Autoencoder:
    torch.manual_seed(0)
    return objective(params).build(params.model).to(device())


def lab_images(files: list[bytes], size: int, count: int) -> np.ndarray:
    """(count, 3, size, size) uint8, the photographs repeated as often as it takes."""
    images = np.stack([photograph_to_lab8(content, size, "crop") for content in files])
    return np.resize(images, (count, *images.shape[1:]))


def training_images(scale: Scale, size: int) -> int:
    """As many as take some seconds."""
    each = {64: 192, 128: 48} if device().type == "cpu" else {64: 20_000, 128: 10_000}
    return scale.size(each[size], 2)


def store_images(folder: Path, lab8: np.ndarray, used: torch.device) -> Images:
    """Images in a file, as a training has them: on a GPU in its memory."""
    np.save(folder / "pretrain.npy", lab8)
    images = Images(open_array(folder / "pretrain.npy"))
    return images.to_device(used, torch.cuda.mem_get_info(used)[0]) if used.type == "cuda" else images


def train_stored(folder: Path, params: Params, goal: Colorization, images: Images, settings: Settings) -> None:
    """A training of a new network, with one image to validate on and checkpoints in `folder`."""
    checkpoint = Checkpoint(folder, "key")
    train(network(params), goal, images, Images(images.lab8[:1]), settings, 0, checkpoint, None)
    checkpoint.remove()
