"""The reference: the same encoder, learned from labels end to end."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from stages.pretext.autoencoder import Autoencoder
from stages.pretext.images import Batch
from stages.pretext.network import build_autoencoder
from stages.probing.conv_probe import build_conv_probe
from stages.shared.params import Model

PROBE_CHANNELS = [128, 256]  # the study's


class Classifier(nn.Module):
    """The encoder with the study's probe on its latents; its decoder is not used."""

    def __init__(self, autoencoder: Autoencoder, classes: int):
        super().__init__()
        self.autoencoder = autoencoder
        self.probe = build_conv_probe(autoencoder.config["latent_channels"], PROBE_CHANNELS, classes)

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> (N, classes) logits."""
        return self.probe(self.autoencoder.encode(lab))


@dataclass
class Classification:
    """L -> the class of the dish, with cross-entropy: what labels alone give.

    Attributes:
        classes: how many.
    """

    classes: int

    def build(self, model: Model) -> Classifier:
        """An untrained network."""
        return Classifier(build_autoencoder(model, sees="lightness", out_channels=1), self.classes)

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss` in nats and `accuracy` in [0, 1], scalars; `output` (N, classes)."""
        accuracy = (output.argmax(dim=1) == batch.labels).double().mean()
        return {"loss": F.cross_entropy(output.float(), batch.labels), "accuracy": accuracy}
