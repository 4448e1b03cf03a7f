"""The reference: the same encoder, trained with labels end to end."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stages.classifiers.network import build_conv_classifier
from stages.compute.batches import Batch
from stages.controls.control import Control, EncoderWithHead
from stages.dataset.manifest import domain_classes, read_manifest
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.runtime.schema import Model
from stages.training.objective import Objective

PROBE_CHANNELS = [128, 256]  # the study's


def control() -> Control:
    """The control, for the in-domain classes of the manifest."""
    classes = len(domain_classes(read_manifest(), "in"))
    return Control(Classification(classes), labelled=True, whole_batches=True)


@dataclass
class Classification(Objective):
    """L -> the class of the dish, by the study's probe on the latents, with cross-entropy.

    Attributes:
        classes: how many.
    """

    classes: int

    def build(self, model: Model) -> EncoderWithHead:
        """An untrained network."""
        autoencoder = build_autoencoder(model, input_channels="lightness", out_channels=1)
        probe = build_conv_classifier(model.latent_channels, PROBE_CHANNELS, self.classes)
        return EncoderWithHead(autoencoder, "latent", probe)

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss` in nats and `accuracy` in [0, 1], scalars; `output` (N, classes)."""
        accuracy = (output.argmax(dim=1) == batch.labels).double().mean()
        return {"loss": F.cross_entropy(output.float(), batch.labels), "accuracy": accuracy}

    def encoder(self, network: EncoderWithHead) -> Autoencoder:
        """Without the probe."""
        return network.autoencoder
