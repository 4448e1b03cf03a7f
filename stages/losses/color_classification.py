"""Which colour of a palette each place of an image has: the network's start and the loss (Zhang 2016, section 2)."""

from dataclasses import dataclass

import torch

from stages.compute.batches import Batch
from stages.losses.color_classes import classification_loss, downsample_ab
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.palette.counts import read_prior
from stages.palette.prior import rebalancing_weights, smoothed_prior
from stages.runtime.errors import StageError
from stages.runtime.schema import Classification, Model
from stages.training.objective import Objective

# Spread over all colours, so that one that training images lack starts unlikely rather than impossible.
NEVER_SEEN = 0.01


@dataclass
class ColorClassification(Objective):
    """L -> a distribution over ab bins, with cross-entropy (Zhang 2016, section 2.1 and 2.2).

    Attributes:
        bins: (Q, 2) float32, centres of the bins in units of a and b.
        shares: (Q,) float32, how much of the loss each bin has: its share of the training pixels times its weight.
        weights: (Q,) float32, against the rarity of colours (eq. 4).
        neighbors: how many bins a true colour is shared between.
        sigma: of the shares, in units of a and b.
        stride: image pixels to a classified place, along an axis.
    """

    bins: torch.Tensor
    shares: torch.Tensor
    weights: torch.Tensor
    neighbors: int
    sigma: float
    stride: int

    @classmethod
    def from_settings(cls, settings: dict, device: torch.device) -> "ColorClassification":
        """Of data/objectives/color_classification/train.json."""
        bins, shares, weights = (torch.tensor(settings[name], device=device) for name in ("bins", "shares", "weights"))
        return cls(bins, shares, weights, settings["neighbors"], settings["sigma"], settings["stride"])

    def build(self, model: Model, width: float = 1) -> Autoencoder:
        """An untrained network that knows the palette, and how often each of its colours counts.

        It starts close to the best constant answer (Lin 2017, Focal Loss, section 3.3). From equal shares all of Adam's
        first steps agree on the way there, in every layer, and leave the encoder with a few large directions that drown
        the others.
        """
        count = len(self.bins)
        network = build_autoencoder(
            model, width=width, input_channels="lightness", out_channels=count, output_stride=self.stride, bins=count
        )
        network.bins.copy_(self.bins)
        with torch.no_grad():
            network.decoder.conv_out.bias.copy_((self.shares + NEVER_SEEN / count).log())
        return network

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss`, a scalar in nats; `output` (N, Q, H / stride, W / stride)."""
        ab = downsample_ab(batch.lab[:, 1:], self.stride)
        loss = classification_loss(output, ab, self.bins, self.weights, self.neighbors, self.sigma)
        return {"loss": loss}


def classification_settings(classification: Classification) -> dict:
    """What `ColorClassification.from_settings` reads: the palette of data/colors/prior.csv and its weights.

    Raises:
        StageError: when data/colors/prior.csv is missing, or the palette has fewer bins than a colour is shared
            between.
    """
    bins, prior = read_prior()
    if classification.neighbors > len(bins):
        raise StageError(
            f"classification.neighbors must be at most {len(bins)}, the number of bins of classification.bin_size "
            f"{classification.bin_size:g}; got {classification.neighbors}"
        )
    smoothed = smoothed_prior(bins, prior, classification.sigma)
    weights = rebalancing_weights(smoothed, classification.rebalance)
    return {
        "bins": bins.tolist(),
        "shares": (smoothed * weights).round(12).tolist(),
        "weights": weights.round(9).tolist(),
        "neighbors": classification.neighbors,
        "sigma": classification.sigma,
        "stride": classification.stride,
    }
