"""Two autoencoders side by side, each of which predicts the channels that the other is given (Zhang 2017)."""

import torch
from torch import nn

from stages.models.autoencoder import Autoencoder


class SplitBrain(nn.Module):
    """Two networks, each of which predicts what the other sees (Zhang 2017, section 3.2).

    Args:
        halves: the one that sees lightness, and the one that sees a and b.
    """

    def __init__(self, halves: list[Autoencoder]):
        super().__init__()
        self.halves = nn.ModuleList(halves)
        self.config = {"halves": [half.config for half in halves]}

    @property
    def stride(self) -> int:
        """Image pixels to a latent position, along one axis: of both halves."""
        return self.halves[0].stride

    @property
    def ends(self) -> list[nn.Module]:
        """The first and the last layer of each half."""
        return [layer for half in self.halves for layer in half.ends]

    @property
    def predicts_ab(self) -> bool:
        """Whether it makes a and b of lightness: its first half does."""
        return self.halves[0].predicts_ab

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """Every layer, the halves' channels one after the other (Zhang 2017, section 3.2: the concatenation)."""
        first, second = (half.activations(lab) for half in self.halves)
        return {layer: torch.cat((first[layer], second[layer]), dim=1) for layer in first}

    def encode(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> the halves' latents, one after the other."""
        return torch.cat([half.encode(lab) for half in self.halves], dim=1)

    def forward(self, lab: torch.Tensor) -> list[torch.Tensor]:
        """What each half makes of what it sees."""
        return [half(lab) for half in self.halves]

    def predict_ab(self, lab: torch.Tensor, temperature: float) -> torch.Tensor:
        """As `Autoencoder.predict_ab`, by the half that sees lightness."""
        return self.halves[0].predict_ab(lab, temperature)
