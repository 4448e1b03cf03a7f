"""A patch critic that tells generated images from true ones, and the adversarial loss of the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from stages.color.normalization import normalize_lab
from stages.compute.batches import to_device

if TYPE_CHECKING:
    from stages.training.distributed import Processes, Shard

CHANNELS, KERNELS, STRIDES = (64, 128, 256), (4, 4, 3), (2, 2, 1)  # a patch is 26 pixels wide
LEARNING_RATE, BETAS = 1e-4, (0.0, 0.9)


class Critic:
    """WGAN-GP (Gulrajani 2017, algorithm 1) with a patch critic on Lab, as in Ballester 2022, section 3.4.

    The critic takes one step for each step of the generator, by Adam with Gulrajani's settings, in float32. It has no
    normalisation layers: the penalty is on each image's gradient by itself, which batch statistics would mix.

    Args:
        penalty: weight of the gradient penalty.
        device: of the images.
    """

    def __init__(self, penalty: float, device: torch.device):
        layers, width = [], 3
        for channels, kernel, stride in zip(CHANNELS, KERNELS, STRIDES, strict=True):
            layers += [nn.Conv2d(width, channels, kernel, stride, padding=1), nn.LeakyReLU(0.2)]
            width = channels
        self.penalty = penalty
        self.network = nn.Sequential(*layers, nn.Conv2d(width, 1, 3, padding=1)).to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), LEARNING_RATE, BETAS)

    def generator_loss(self, generated: torch.Tensor) -> torch.Tensor:
        """Minus the critic's mean score of generated images and their patches, a scalar.

        Args:
            generated: (N, 3, H, W) float32 Lab.
        """
        return -self.network(normalize_lab(generated, "lab")).mean()

    def step(
        self, generated: torch.Tensor, lab: torch.Tensor, seed: list[int], shard: Shard, processes: Processes
    ) -> torch.Tensor:
        """One step of the critic.

        Args:
            generated, lab: (N, 3, H, W) float32 Lab, without gradient.
            seed: of the points between generated and true images where the gradient is penalised.
            shard: of the batch, which these images are.
            processes: that share the batch.

        Returns:
            The estimate of the Wasserstein distance before the step, true minus generated, a scalar.
        """
        fake, true = normalize_lab(generated, "lab"), normalize_lab(lab, "lab")
        draws = np.random.default_rng(seed).random((shard.batch_size, 1, 1, 1), dtype=np.float32)
        share = to_device(draws, lab.device)[shard.slice]
        between = (share * true + (1 - share) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(self._scores(between).sum(), between, create_graph=True)
        excess = gradient.flatten(1).norm(dim=1) - 1
        distance = self._scores(true).mean() - self._scores(fake).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (shard.weight * (self.penalty * excess.square().mean() - distance)).backward()
        processes.all_reduce([parameter.grad for parameter in self.network.parameters()])
        self.optimizer.step()
        return distance.detach()

    def _scores(self, images: torch.Tensor) -> torch.Tensor:
        """(N,): the mean over an image's patches."""
        return self.network(images).mean(dim=(1, 2, 3))

    def state_dict(self) -> dict:
        """For a checkpoint."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Continue from the state of a checkpoint."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
