"""AdamW, or Muon for inner kernels plus AdamW for everything else."""

import math

import torch
from torch import nn

MOMENTUM = 0.95  # as in torch.optim.Muon
# Of x, x^3 and x^5 in the polynomial that the iteration applies to singular values, and how often (Jordan 2024).
COEFFICIENTS, ITERATIONS = (3.4445, -4.7750, 2.0315), 5


class KernelMuon(torch.optim.Optimizer):
    """Muon (Jordan 2024, "Muon: an optimizer for hidden layers in neural networks") on kernels of any shape.

    It makes all singular values of a step alike. Where one direction of the data outweighs all others, as lightness
    does here, AdamW's steps agree on it in every layer and the encoder's channels come to say the same; Muon's move
    as far along the small directions as along the large one.

    As `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"`, but in float32. PyTorch's iterates in bfloat16 on every
    device, which took 9 to 25 % of a training step on a CPU without bfloat16 instructions (docs/performance.md). A
    kernel (out, in, h, w) is a matrix of `out` rows here; PyTorch's takes no kernels.
    """

    def __init__(self, kernels: list[nn.Parameter], learning_rate: float, weight_decay: float):
        super().__init__(kernels, {"lr": learning_rate, "weight_decay": weight_decay, "momentum": MOMENTUM})

    @torch.no_grad()
    def step(self) -> None:
        """One step from the gradients of the kernels; one without a gradient stays as it is."""
        (group,) = self.param_groups
        rate, momentum = group["lr"], group["momentum"]
        for kernel in group["params"]:
            if kernel.grad is None:
                continue
            if not (state := self.state[kernel]):
                state["momentum_buffer"] = torch.zeros_like(kernel)
            mean = state["momentum_buffer"].lerp_(kernel.grad, 1 - momentum)
            update = orthogonalize(kernel.grad.lerp(mean, momentum).flatten(1))  # Nesterov's momentum
            # The size of AdamW's steps (Liu 2025, arXiv 2502.16982, section 2.2), so that both share a learning rate.
            scale = 0.2 * math.sqrt(max(update.shape))
            kernel.mul_(1 - rate * group["weight_decay"]).add_(update.view_as(kernel), alpha=-rate * scale)


def orthogonalize(matrix: torch.Tensor) -> torch.Tensor:
    """Bring the singular values of a matrix near 1, by Newton and Schulz's iteration (Jordan 2024).

    Args:
        matrix: float32 (rows, columns).

    Returns:
        float32 (rows, columns), of the same singular vectors. Singular values above some 0.002 of the matrix's norm
        become 0.7 to 1.2, smaller ones grow up to 485 times.
    """
    transposed = matrix.shape[0] > matrix.shape[1]  # the smaller Gram matrix
    wide = matrix.T if transposed else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    first, third, fifth = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=third, alpha=fifth), wide, beta=first)
    return (wide.T if transposed else wide).contiguous()


def build_optimizers(
    model: nn.Module, name: str, learning_rate: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """The optimizers that together move every parameter of `model`, which is on its device already.

    Args:
        model: with `muon`, its `ends` lists the modules without inner kernels: the first and the last layer of each
            network, and a classifier's head.
        name: `adamw`; or `muon`, for inner kernels, with AdamW for the kernels of the ends and for whatever is no
            kernel: biases, the scales of normalisations.
    """
    if name == "adamw":
        return [_adamw(list(model.parameters()), learning_rate, weight_decay)]
    ends = {id(parameter) for module in model.ends for parameter in module.parameters()}
    inner, others = [], []
    for parameter in model.parameters():
        (inner if parameter.ndim > 1 and id(parameter) not in ends else others).append(parameter)
    return [KernelMuon(inner, learning_rate, weight_decay), _adamw(others, learning_rate, weight_decay)]


def step_optimizers(optimizers: list[torch.optim.Optimizer], learning_rate: float) -> None:
    """One step of each, from the gradients of the parameters."""
    for optimizer in optimizers:
        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.step()


def _adamw(parameters: list[nn.Parameter], learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    # On a CPU, fused rounds otherwise and saves next to nothing (docs/performance.md).
    fused = all(parameter.is_cuda for parameter in parameters)
    return torch.optim.AdamW(parameters, learning_rate, weight_decay=weight_decay, fused=fused)
