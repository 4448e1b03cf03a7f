"""Where tensors are computed. Environment variables, not parameters: they choose a machine, not a result."""

import os
from functools import cache

import torch

from stages.runtime.entry_point import ERROR_FILE
from stages.runtime.errors import StageError


def local_rank() -> int | None:
    """The number of this process among those of a training that a stage has started; None if it is not one of them.

    LOCAL_RANK by itself says nothing: a user's own launcher, of a cluster say, sets it too.
    """
    if ERROR_FILE not in os.environ or "LOCAL_RANK" not in os.environ:
        return None
    return int(os.environ["LOCAL_RANK"])


def device() -> torch.device:
    """The device named by STAGES_DEVICE: `cpu`, `cuda`, `cuda:1`, ...; `auto` (the default) takes CUDA if it is there.

    Of several processes that share a training each takes the GPU of its own number. cuDNN is told not to choose its
    algorithms by timing, nor any that adds in a changing order: see `set_deterministic` for more, and for less.

    Raises:
        StageError: for a name that PyTorch does not know, or a GPU that is not there.
    """
    name = os.environ.get("STAGES_DEVICE", "auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and (rank := local_rank()) is not None:
        name = f"cuda:{rank}"
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


def set_deterministic(chosen: torch.device, deterministic: bool) -> None:
    """Have a GPU compute the same bytes each time, or let cuDNN choose. On a CPU there is nothing to choose.

    To be called after `device`, which sets cuDNN's part as if for the first.

    Args:
        chosen: the device.
        deterministic: every operation that has an algorithm which adds in the same order uses it, and one that has none
            raises a RuntimeError; else cuDNN takes whatever it times as the fastest.
    """
    if chosen.type == "cpu":
        return
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it starts
    torch.use_deterministic_algorithms(deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a guard for debugging, not needed and not free
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.deterministic = deterministic


def autocast(chosen: torch.device, precision: str) -> torch.autocast:
    """A context that computes matrix products in `precision` (`float32`, `bfloat16`) on `chosen`.

    A CPU without bfloat16 instructions computes in float32, whatever the precision: oneDNN's fallback takes 25 times as
    long there (measured with AVX2 alone), and its result is less accurate.
    """
    return torch.autocast(
        chosen.type, torch.bfloat16, enabled=precision == "bfloat16" and computes_bfloat16(chosen.type)
    )


@cache
def computes_bfloat16(device_type: str) -> bool:
    """Whether a device (`cpu`, `cuda`) has bfloat16 instructions; of a CPU that has none a line says so, once."""
    if device_type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return True
    print("this CPU has no bfloat16 instructions: float32 is used where the precision is bfloat16")
    return False
