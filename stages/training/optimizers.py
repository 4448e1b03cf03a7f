"""What takes the steps of a training: AdamW by itself, or Muon on kernels with AdamW on the rest."""

import torch
from torch import nn

# Of an autoencoder: the kernel that sees the image, and the one that makes the answer.
ENDS = ("encoder.conv_in.weight", "decoder.conv_out.weight")
HEAD = "probe."  # of the supervised control: AdamW's, as every probe is


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
        name: `adamw`; or `muon`, for the kernels between the first and the last layer of each network, with AdamW for
            these two and for all that is no kernel.
    """
    if name == "adamw":
        return [_adamw(list(model.parameters()), learning_rate, weight_decay)]
    kernels, others = [], []
    for key, parameter in model.named_parameters():
        inner = parameter.ndim > 1 and not key.endswith(ENDS) and not key.startswith(HEAD)
        (kernels if inner else others).append(parameter)
    return [KernelMuon(kernels, learning_rate, weight_decay), _adamw(others, learning_rate, weight_decay)]


def _adamw(parameters: list[nn.Parameter], learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    # On a CPU, fused rounds otherwise and saves next to nothing (docs/performance.md).
    fused = all(parameter.is_cuda for parameter in parameters)
    return torch.optim.AdamW(parameters, learning_rate, weight_decay=weight_decay, fused=fused)
