"""The encoder with a head on one of its layers: the network of controls that have no use for a decoder."""

import torch
from torch import nn

from stages.models.autoencoder import Autoencoder


class EncoderWithHead(nn.Module):
    """`head` on the activations of `layer`.

    The autoencoder's decoder takes no part and stays as it was drawn: it is there so that the encoder is drawn and saved
    like any other.

    Args:
        autoencoder: drawn first.
        layer: one of `Autoencoder.activations`. Layers after it stay as they were drawn, too.
        head: takes (N, C, h, w).
    """

    def __init__(self, autoencoder: Autoencoder, layer: str, head: nn.Module):
        super().__init__()
        self.autoencoder, self.layer, self.head = autoencoder, layer, head

    @property
    def ends(self) -> list[nn.Module]:
        """The autoencoder's, and the head: its kernels are trained by AdamW, as those of every probe."""
        return [*self.autoencoder.ends, self.head]

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> what the head gives."""
        return self.head(self.autoencoder.activations(lab)[self.layer])
