"""AdamW, or Muon for inner kernels plus AdamW for everything else."""

import torch
from torch import nn


class KernelMuon(torch.optim.Muon):
    """Muon (Jordan 2024, "Muon: an optimizer for hidden layers in neural networks") on kernels of any shape.

    It makes all singular values of a step alike. Where one direction of the data outweighs all others, as lightness
    does here, AdamW's steps agree on it in every layer and the encoder's channels come to say the same; Muon's move
    as far along the small directions as along the large one.

    PyTorch's takes matrices; a kernel (out, in, h, w) is one of `out` rows. Steps are scaled to the size of AdamW's
    (Liu 2025, arXiv 2502.16982, section 2.2), so that both share a learning rate.
    """

    def __init__(self, kernels: list[nn.Parameter], learning_rate: float, weight_decay: float):
        self.kernels = kernels
        super().__init__(
            [nn.Parameter(kernel.detach().view(len(kernel), -1)) for kernel in kernels],  # of the same memory
            learning_rate,
            weight_decay,
            adjust_lr_fn="match_rms_adamw",
        )

    def step(self) -> None:
        """One step from the gradients of the kernels; one without a gradient stays as it is."""
        for kernel, matrix in zip(self.kernels, self.param_groups[0]["params"], strict=True):
            matrix.grad = None if kernel.grad is None else kernel.grad.flatten(1)
        super().step()


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
