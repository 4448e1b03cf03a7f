"""LPIPS, the learned perceptual distance (Zhang 2018), with a gradient that is finite everywhere."""

from __future__ import annotations

import os
import pickle
import warnings
from typing import TYPE_CHECKING

import torch

from stages.runtime.errors import StageError

if TYPE_CHECKING:
    import lpips

LPIPS_EPSILON = 1e-10
RANDOM_BACKBONE_SEED = 0


def _normalize(features: torch.Tensor, eps: float = LPIPS_EPSILON) -> torch.Tensor:
    """Unit length over channels, with a gradient where every channel is 0.

    lpips 0.1.4 takes the root of the bare sum of squares and adds its epsilon afterwards: the root's gradient at 0 is
    infinite, and times the inner 0 it is NaN. ReLU features of a dark or flat patch are all 0.
    """
    return features / (torch.sqrt(torch.sum(features**2, dim=1, keepdim=True) + eps**2) + eps)


def open_lpips(net: str, backbone: str, group: str) -> lpips.LPIPS:
    """LPIPS (Zhang 2018) with frozen weights; call it on RGB of (N, 3, H, W) in [-1, 1], it returns (N, 1, 1, 1).

    Args:
        net: `alex`, `vgg` or `squeeze`.
        backbone: `imagenet`: pretrained, with the paper's linear calibration (version 0.1). `random`: the paper's
            untrained network, whose layers are summed, as its calibration is of no use here. Its weights are
            the same for every seed of the study, so that the metric means the same in all of them.
        group: of the parameters that ask for it, for the message.

    Raises:
        StageError: when the pretrained weights are missing and cannot be downloaded, or are incomplete.
    """
    import lpips  # brings torchvision: only where LPIPS has a weight

    lpips.normalize_tensor = _normalize
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"  # torchvision would open a pickle that lies under the file's name
    pretrained = backbone == "imagenet"
    try:
        with torch.random.fork_rng(), warnings.catch_warnings():
            # lpips uses torchvision's `pretrained=`, which torchvision warns about.
            warnings.simplefilter("ignore")
            torch.manual_seed(RANDOM_BACKBONE_SEED)
            metric = lpips.LPIPS(net=net, pnet_rand=not pretrained, lpips=pretrained, verbose=False)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise StageError(
            f"LPIPS needs torchvision's ImageNet weights of {_TORCHVISION_NAMES[net]}, and they could not be had "
            f"({error}). Either run once with a network (the weights are kept in {torch.hub.get_dir()}/checkpoints, "
            f"where a whole copy of the file serves too), or do without: dvc exp run -S {group}.lpips_backbone=random"
        ) from None
    return metric.requires_grad_(False).eval()


_TORCHVISION_NAMES = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
