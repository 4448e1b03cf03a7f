"""The device that computes. It is an environment variable, not a parameter: it chooses a machine, not a result."""

import os
from functools import cache

import torch

from stages.runtime.errors import StageError

# What torch's launcher tells each process of several that train together.
LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def local_rank() -> int | None:
    """This process's rank among those of this machine that train together; None if it is alone.

    A stage has launched them, or torchrun or another launcher that sets the same variables. LOCAL_RANK alone does not
    count: what starts a single process may set it too.
    """
    if not all(name in os.environ for name in LAUNCHED) or int(os.environ["WORLD_SIZE"]) == 1:
        return None
    return int(os.environ["LOCAL_RANK"])


def device() -> torch.device:
    """The device named by STAGES_DEVICE: `cpu`, `cuda`, `cuda:1`, ...; `auto` (the default) is CUDA if available.

    In data-parallel training each process takes the GPU of its rank. cuDNN is set to deterministic algorithms, not
    chosen by timing; `set_deterministic` changes that.

    Raises:
        StageError: for a name that PyTorch does not know, or a GPU that is not there.
    """
    name = os.environ.get("STAGES_DEVICE", "auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and (rank := local_rank()) is not None:
        name = f"cuda:{rank}"
    try:
        used = torch.device(name)
        torch.empty(0, device=used)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise StageError(
            f"STAGES_DEVICE must be auto, cpu or a CUDA device that is there; got '{name}' ({reason})"
        ) from None
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return used


def set_deterministic(used: torch.device, deterministic: bool) -> None:
    """Use deterministic algorithms on a GPU, or the fastest. On a CPU there is no choice.

    Call it after `device`, which sets cuDNN to deterministic.

    Args:
        used: the device.
        deterministic: an operation without a deterministic algorithm raises a RuntimeError; if False, cuDNN takes the
            algorithms that it measures to be the fastest.
    """
    if used.type == "cpu":
        return
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it starts
    torch.use_deterministic_algorithms(deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a guard for debugging, not needed and not free
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.deterministic = deterministic


def autocast(used: torch.device, precision: str) -> torch.autocast:
    """A context that computes matrix products in `precision` (`float32`, `bfloat16`) on a device.

    A CPU without bfloat16 instructions computes in float32, whatever the precision: oneDNN's fallback takes 25 times as
    long there (measured with AVX2 alone), and its result is less accurate.
    """
    return torch.autocast(used.type, torch.bfloat16, enabled=precision == "bfloat16" and computes_bfloat16(used.type))


@cache
def computes_bfloat16(device_type: str) -> bool:
    """Whether a device (`cpu`, `cuda`) has bfloat16 instructions; of a CPU that has none a line says so, once."""
    if device_type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return True
    print("this CPU has no bfloat16 instructions: float32 is used where the precision is bfloat16")
    return False
