"""The reference: the same encoder, trained with labels end to end."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from stages.classifiers.network import build_conv_classifier
from stages.compute.batches import Batch
from stages.controls.control import Control
from stages.dataset.manifest import domain_classes, read_manifest
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.runtime.schema import Model
from stages.training.objective import Objective

PROBE_CHANNELS = [128, 256]  # the study's


def control() -> Control:
    """The control, for the in-domain classes of the manifest."""
    return Control(Classification(len(domain_classes(read_manifest(), "in"))), labelled=True)


class Classifier(nn.Module):
    """The encoder with the study's probe on its latents; its decoder is not used."""

    def __init__(self, autoencoder: Autoencoder, classes: int):
        super().__init__()
        self.autoencoder = autoencoder
        self.probe = build_conv_classifier(autoencoder.config["latent_channels"], PROBE_CHANNELS, classes)

    @property
    def ends(self) -> list[nn.Module]:
        """The autoencoder's, and the probe: its kernels are trained by AdamW, as those of every probe."""
        return [*self.autoencoder.ends, self.probe]

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) Lab -> (N, classes) logits."""
        return self.probe(self.autoencoder.encode(lab))


@dataclass
class Classification(Objective):
    """L -> the class of the dish, with cross-entropy.

    Attributes:
        classes: how many.
    """

    classes: int

    def build(self, model: Model) -> Classifier:
        """An untrained network."""
        return Classifier(build_autoencoder(model, input_channels="lightness", out_channels=1), self.classes)

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss` in nats and `accuracy` in [0, 1], scalars; `output` (N, classes)."""
        accuracy = (output.argmax(dim=1) == batch.labels).double().mean()
        return {"loss": F.cross_entropy(output.float(), batch.labels), "accuracy": accuracy}

    def encoder(self, network: Classifier) -> Autoencoder:
        """Without the probe."""
        return network.autoencoder
