"""What a benchmark ran on: enough to compare two results, and nothing that names the machine."""

import os
import platform
from pathlib import Path

import psutil
import torch

from stages.compute.device import device


def describe() -> dict:
    """Processor, cores, memory, versions, threads, and the GPU where one is used."""
    used = device()
    found = {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": used.type,
    }
    if used.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(used)
    return found


def slug(machine: dict) -> str:
    """A file's name for it: `nvidia-h200`, or cores and vector instructions, as in `cpu-2-cores-avx512`."""
    name = machine.get("gpu") or f"{machine['device']} {machine['cores']} cores {machine['instructions']}"
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
