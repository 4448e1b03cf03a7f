"""A critic that tells painted images from true ones, patch by patch, and the loss that it gives."""

import numpy as np
import torch
from torch import nn

from stages.color.normalization import normalize_lab
from stages.compute.batches import to_device
from stages.training.distributed import Processes, Shard

CHANNELS, KERNELS, STRIDES = (64, 128, 256), (4, 4, 3), (2, 2, 1)  # a patch is 26 pixels wide
LEARNING_RATE, BETAS = 1e-4, (0.0, 0.9)


class Critic:
    """WGAN-GP (Gulrajani 2017, algorithm 1) with a patch critic on Lab, as in Ballester 2022, section 3.4.

    The critic is updated once a step, by Adam with that paper's settings, in float32. It has no normalisation layers:
    the penalty holds the slope of each image by itself, which batch statistics would mix.

    Args:
        weight: of the loss that it gives to the painter.
        penalty: of the critic's slope.
        device: of the images.
    """

    def __init__(self, weight: float, penalty: float, device: torch.device):
        layers, width = [], 3
        for channels, kernel, stride in zip(CHANNELS, KERNELS, STRIDES, strict=True):
            layers += [nn.Conv2d(width, channels, kernel, stride, padding=1), nn.LeakyReLU(0.2)]
            width = channels
        self.weight, self.penalty = weight, penalty
        self.critic = nn.Sequential(*layers, nn.Conv2d(width, 1, 3, padding=1)).to(device)
        self.optimizer = torch.optim.Adam(self.critic.parameters(), LEARNING_RATE, BETAS)

    def loss(self, painted: torch.Tensor) -> torch.Tensor:
        """How little the critic believes in painted images, a scalar: minus its mean over images and patches.

        Args:
            painted: (N, 3, H, W) float32 Lab.
        """
        return -self.critic(normalize_lab(painted, "lab")).mean()

    def update(
        self, painted: torch.Tensor, lab: torch.Tensor, seed: list[int], shard: Shard, processes: Processes
    ) -> torch.Tensor:
        """One step of the critic; returns its estimate of the Wasserstein distance, true minus painted, a scalar.

        Args:
            painted, lab: (N, 3, H, W) float32 Lab, without gradient.
            seed: of the places between painted and true where the slope is measured.
            shard: of the batch, which these images are.
            processes: that share the batch.
        """
        fake, true = normalize_lab(painted, "lab"), normalize_lab(lab, "lab")
        draws = np.random.default_rng(seed).random((shard.of, 1, 1, 1), dtype=np.float32)
        share = to_device(draws, lab.device)[shard.slice]
        between = (share * true + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(_scores(self.critic, between).sum(), between, create_graph=True)
        excess = slope.flatten(1).norm(dim=1) - 1
        distance = _scores(self.critic, true).mean() - _scores(self.critic, fake).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (shard.weight * (self.penalty * excess.square().mean() - distance)).backward()
        processes.all_reduce([parameter.grad for parameter in self.critic.parameters()])
        self.optimizer.step()
        return distance.detach()

    def state(self) -> dict:
        """For a checkpoint."""
        return {"critic": self.critic.state_dict(), "optimizer": self.optimizer.state_dict()}

    def resume(self, state: dict) -> None:
        """Take the state of a checkpoint."""
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])


def _scores(critic: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """An image's score, (N,): the mean over its patches."""
    return critic(images).mean(dim=(1, 2, 3))
