"""Two autoencoders side by side, each of which predicts the channels that the other is given (Zhang 2017)."""

import torch
from torch import nn

from stages.models.autoencoder import Autoencoder
from stages.models.pretrained import PretrainedEncoder


def _half_config(half: Autoencoder) -> dict:
    return {name: value for name, value in half.config.items() if name != "image_size"}


class SplitBrain(PretrainedEncoder, coders={Autoencoder: (_half_config, lambda config: Autoencoder(**config))}):
    """A split-brain autoencoder (Zhang 2017, section 3.2): together the halves see all channels.

    Args:
        ab_from_lightness: the half that is given L.
        lightness_from_ab: the half that is given a and b, of the same shape.
        image_size: see `PretrainedEncoder`.
    """

    def __init__(self, ab_from_lightness: Autoencoder, lightness_from_ab: Autoencoder, image_size: int | None = None):
        super().__init__()
        self.halves = nn.ModuleList((ab_from_lightness, lightness_from_ab))

    @property
    def latent_stride(self) -> int:
        """Image pixels to a latent position, along one axis: of both halves."""
        return self.halves[0].latent_stride

    @property
    def ends(self) -> list[nn.Module]:
        """The first and the last layer of each half."""
        return [layer for half in self.halves for layer in half.ends]

    @property
    def predicts_ab(self) -> bool:
        """Whether it predicts a and b from L: its first half does."""
        return self.halves[0].predicts_ab

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """As `Autoencoder.activations`, the halves' channels concatenated (Zhang 2017, section 3.2)."""
        first, second = (half.activations(lab) for half in self.halves)
        return {layer: torch.cat((first[layer], second[layer]), dim=1) for layer in first}

    def encode(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> the halves' latents, concatenated: (N, 2 * latent_channels, h, w)."""
        return torch.cat([half.encode(lab) for half in self.halves], dim=1)

    def forward(self, lab: torch.Tensor) -> list[torch.Tensor]:
        """The predictions of both halves: see `Autoencoder.forward`."""
        return [half(lab) for half in self.halves]

    def predict_ab(self, lab: torch.Tensor, temperature: float) -> torch.Tensor:
        """As `Autoencoder.predict_ab`, by the half that is given lightness."""
        return self.halves[0].predict_ab(lab, temperature)
