"""How near each layer of the study's network comes to its own limit. `python -m benchmarks.roofline --size 64`

The roofline (Williams 2009, "Roofline: an insightful visual performance model for multicore architectures"): a layer
takes at least as long as its operations at the rate of a large matrix product, and at least as long as its bytes at
that of a copy in memory. Each layer is timed by itself, forward and backward, on maps of the size that it is given in
training.

What is counted, for a layer with input x, output y, weights w: of a convolution and a linear layer 3 products (forward,
gradient of x, gradient of w), of which each reads two of x, y, w and writes the third; of a GroupNorm and a SiLU 5
passes over x (forward: read, write; backward: read x and the gradient, write). Maps that fit in a cache may exceed the
limit.
"""

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.limits import copy_rate, matmul_rate
from benchmarks.machine import describe
from benchmarks.measure import seconds
from benchmarks.models import network, study
from stages.compute.device import autocast, computes_bfloat16, device
from stages.runtime.allocator import keep_freed_memory

KINDS = (nn.Conv2d, nn.Linear, nn.GroupNorm, nn.SiLU)


@dataclass(frozen=True)
class Layer:
    """Layers that do the same to maps of the same shape.

    Attributes:
        kind: name of the module's class.
        label: with kernel and channels.
        shape: of the input, without the batch.
    """

    kind: str
    label: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """Forward and backward pass of one layer, for a batch.

    Attributes:
        flops, bytes: as counted above.
        seconds: measured, the least of the turns.
    """

    flops: float
    bytes: float
    seconds: float

    def limit(self, flops_rate: float, bytes_rate: float) -> float:
        """Seconds at least."""
        return max(self.flops / flops_rate, self.bytes / bytes_rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(". ")[0])
    parser.add_argument("--size", type=int, default=64, help="edge of the images in pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    keep_freed_memory()  # as a stage does
    precision = study().train.precision
    if not computes_bfloat16(device().type):
        precision = "float32"
    rates = matmul_rate(precision, device()), copy_rate()
    print(f"{describe()['processor']}, {torch.get_num_threads()} threads; {precision}")
    print(f"matrix product {rates[0] / 1e9:.0f} GFLOP/s, copy {rates[1] / 1e9:.0f} GB/s; batches of {given.batch}\n")
    print(markdown(*measure(given.size, given.batch, given.repeats, precision), rates))


def measure(size: int, batch: int, repeats: int, precision: str) -> tuple[dict[Layer, Cost], Counter]:
    """The cost of each kind of layer, and how many of it one training step has; LPIPS is left out."""
    used, counts, modules = device(), Counter(), {}
    model = network(study())

    def note(module: nn.Module, inputs: tuple[torch.Tensor, ...], _output: torch.Tensor) -> None:
        layer = Layer(type(module).__name__, _label(module), tuple(inputs[0].shape[1:]))
        counts[layer] += 1
        modules[layer] = module

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, KINDS)]
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size, device=used))
    for hook in hooks:
        hook.remove()
    return {layer: _cost(modules[layer], layer, batch, repeats, precision) for layer in counts}, counts


def _label(module: nn.Module) -> str:
    match module:
        case nn.Conv2d():
            edge, stride = module.kernel_size[0], ", stride 2" if module.stride[0] == 2 else ""
            return f"{edge} x {edge}, {module.in_channels} to {module.out_channels}{stride}"
        case nn.Linear():
            return f"{module.in_features} to {module.out_features}"
        case nn.GroupNorm():
            return f"{module.num_channels} channels"
    return ""


def _cost(module: nn.Module, layer: Layer, batch: int, repeats: int, precision: str) -> Cost:
    maps = torch.randn(batch, *layer.shape, device=device(), dtype=getattr(torch, precision)).requires_grad_()
    with autocast(device(), precision):
        output = module(maps)
        gradient = torch.randn_like(output)

        def step() -> None:
            module(maps).backward(gradient)

        step()
        took = min(seconds(step) for _ in range(repeats))
    width = maps.element_size()
    if isinstance(module, nn.Conv2d | nn.Linear):
        weights = module.weight.numel()
        flops = 3 * 2 * output.numel() * weights / module.weight.shape[0]
        return Cost(flops, 3 * (maps.numel() + output.numel() + weights) * width, took)
    return Cost(0.0, 5 * maps.numel() * width, took)


def markdown(costs: dict[Layer, Cost], counts: Counter, rates: tuple[float, float]) -> str:
    """A table, the layers that take the most time first, those below a hundredth of it in one line."""
    total = sum(counts[layer] * cost.seconds for layer, cost in costs.items())
    limit = sum(counts[layer] * cost.limit(*rates) for layer, cost in costs.items())
    lines = [
        "| layer | input | times | operations a byte | bound by | share of the time | of its limit |",
        "|---|---|---|---|---|---|---|",
    ]
    rest = defaultdict(float)
    for layer, cost in sorted(costs.items(), key=lambda item: -counts[item[0]] * item[1].seconds):
        share, least = counts[layer] * cost.seconds / total, cost.limit(*rates)
        if share < 0.01:
            rest["share"] += share
            rest["limit"] += counts[layer] * least
            continue
        bound = "operations" if least * rates[0] <= cost.flops else "memory"
        shape = " x ".join(map(str, layer.shape))
        lines.append(
            f"| {layer.kind} {layer.label} | {shape} | {counts[layer]} | {cost.flops / cost.bytes:.0f} | {bound} | "
            f"{share:.1%} | {least / cost.seconds:.0%} |"
        )
    if rest:
        lines.append(f"| the rest | | | | | {rest['share']:.1%} | {rest['limit'] / (rest['share'] * total):.0%} |")
    return "\n".join([*lines, f"| **all** | | {sum(counts.values())} | | | 100 % | **{limit / total:.0%}** |"])


if __name__ == "__main__":
    main()
