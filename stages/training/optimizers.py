"""AdamW, or Muon for inner kernels plus AdamW for everything else."""

import math

import torch
from torch import nn

from stages.compute.device import computes_bfloat16


class KernelMuon(torch.optim.Muon):
    """Muon (Jordan 2024, "Muon: an optimizer for hidden layers in neural networks") on kernels of any shape.

    It makes all singular values of a step alike. Where one direction of the data outweighs all others, as lightness
    does here, AdamW's steps agree on it in every layer and the encoder's channels come to say the same; Muon's move
    as far along the small directions as along the large one.

    PyTorch's takes matrices; a kernel (out, in, h, w) is one of `out` rows. Steps are scaled to the size of AdamW's
    (Liu 2025, arXiv 2502.16982, section 2.2), so that both share a learning rate.

    PyTorch's makes the singular values alike in bfloat16, whatever the device. On a CPU without bfloat16 instructions
    that took 9 to 25 % of a training step (docs/performance.md), so there it is done in float32.
    """

    def __init__(self, kernels: list[nn.Parameter], learning_rate: float, weight_decay: float):
        self.kernels = kernels
        super().__init__(
            [nn.Parameter(kernel.detach().view(len(kernel), -1)) for kernel in kernels],  # of the same memory
            learning_rate,
            weight_decay,
            adjust_lr_fn="match_rms_adamw",
        )

    @torch.no_grad()
    def step(self) -> None:
        """One step from the gradients of the kernels; one without a gradient stays as it is."""
        group = self.param_groups[0]
        rate, decay, momentum = group["lr"], group["weight_decay"], group["momentum"]
        for kernel, matrix in zip(self.kernels, group["params"], strict=True):
            if kernel.grad is None:
                continue
            gradient, state = kernel.grad.flatten(1), self.state[matrix]
            if not state:
                state["momentum_buffer"] = torch.zeros_like(matrix)
            mean = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
            update = gradient.lerp(mean, momentum)  # Nesterov's
            update = orthogonalize(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
            matrix.mul_(1 - rate * decay).add_(update, alpha=-rate * 0.2 * math.sqrt(max(matrix.shape)))


def orthogonalize(
    matrix: torch.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> torch.Tensor:
    """The matrix with all singular values near 1, by Newton and Schulz's iteration (Jordan 2024).

    Args:
        matrix: float32 (rows, columns).
        coefficients: of the iteration's odd polynomial, of x, x^3 and x^5.
        steps: iterations.
        eps: the least norm that the matrix is divided by.

    Returns:
        bfloat16 (rows, columns); float32 on a CPU without bfloat16 instructions. Singular values are about 0.7 to 1.2.
    """
    a, b, c = coefficients
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide.to(torch.bfloat16 if computes_bfloat16(matrix.device.type) else torch.float32)
    wide = wide / wide.norm().clamp(min=eps)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T


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
