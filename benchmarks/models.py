"""The study's network, its objective and some images, for the rows that train or encode."""

import numpy as np
import torch

from benchmarks.measure import Scale
from stages.compute.device import device
from stages.models.autoencoder import Autoencoder
from stages.objectives import colorization
from stages.objectives.colorization import Colorization
from stages.photographs.decoding import photograph_to_lab8
from stages.runtime.params import load_params
from stages.runtime.schema import Params

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
