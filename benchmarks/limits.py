"""What the machine can do at best, measured in the same run."""

import io
import statistics

import torch
from PIL import Image

from benchmarks.measure import seconds
from stages.compute.device import computes_bfloat16, device


def computed_precision(precision: str, used: torch.device) -> str:
    """What a device computes in where `precision` is asked for, see `stages.compute.device.autocast`."""
    return precision if precision == "float32" or computes_bfloat16(used.type) else "float32"


def matmul_rate(precision: str, used: torch.device, *, quick: bool = False) -> float:
    """FLOP/s of a large square matrix product in `float32` or `bfloat16`, the best of five."""
    size = 512 if quick else 8192 if used.type == "cuda" else 3072
    left, right = (torch.randn(size, size, dtype=getattr(torch, precision), device=used) for _ in range(2))
    left @ right
    return 2 * size**3 / min(seconds(lambda: left @ right) for _ in range(5))


def measure_limits(*, quick: bool = False) -> dict[str, float]:
    """GFLOP/s of matrix products in what the device that the stages use computes in, and GB/s of a copy."""
    used = device()
    precisions = dict.fromkeys(computed_precision(name, used) for name in ("float32", "bfloat16"))
    found = {f"{name}_gflops": matmul_rate(name, used, quick=quick) / 1e9 for name in precisions}
    # Three digits, as a busy machine's rate may round to 0.
    found["copy_gb_s"] = copy_rate(quick=quick) / 1e9
    return {name: float(f"{value:.3g}") for name, value in found.items()}


def copy_rate(*, quick: bool = False) -> float:
    """Bytes a second read and written by a copy far larger than any cache."""
    source = torch.ones(2**22 if quick else 2**29, dtype=torch.uint8, device=device())
    target = torch.empty_like(source)
    target.copy_(source)
    return 2 * source.numel() / min(seconds(lambda: target.copy_(source)) for _ in range(5))


def jpeg_rate(files: list[bytes], smallest: int) -> float:
    """Images a second of one thread that only decodes, at the scale that `draft` allows for `smallest` pixels."""

    def decode():
        for content in files:
            with Image.open(io.BytesIO(content)) as image:
                image.draft(None, (smallest, smallest))
                image.load()

    return len(files) / statistics.median(seconds(decode) for _ in range(3))
