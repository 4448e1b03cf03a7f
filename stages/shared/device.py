"""Where tensors are computed. Environment variables, not parameters: they choose a machine, not a result."""

import os

import torch

from stages.shared.errors import StageError


def device() -> torch.device:
    """The device named by STAGES_DEVICE: `cpu`, `cuda`, `cuda:1`, ...; `auto` (the default) takes CUDA if it is there.

    cuDNN is told not to choose its algorithms by timing, nor any that adds in a changing order.

    Raises:
        StageError: for a name that PyTorch does not know, or a GPU that is not there.
    """
    name = os.environ.get("STAGES_DEVICE", "auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(name)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise StageError(
            f"STAGES_DEVICE must be auto, cpu or a CUDA device that is there; got '{name}' ({reason})"
        ) from None
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return chosen


def autocast(chosen: torch.device, precision: str) -> torch.autocast:
    """A context that computes matrix products in `precision` (`float32`, `bfloat16`) on `chosen`."""
    return torch.autocast(chosen.type, torch.bfloat16, enabled=precision == "bfloat16")
