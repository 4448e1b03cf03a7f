"""Colorization as classification of each position into bins of the ab plane (Zhang 2016, section 2)."""

from dataclasses import dataclass

import torch

from stages.compute.batches import Batch
from stages.losses.color_classes import classification_loss, downsample_ab
from stages.losses.lightness_offset import UNSEEN_SHARE, color_logits
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.models.offset import Offset
from stages.palette.counts import read_joint, read_prior
from stages.palette.prior import rebalancing_weights, smoothed_prior
from stages.runtime.errors import StageError
from stages.runtime.schema import Classification, Model
from stages.training.objective import Objective


@dataclass
class ColorClassification(Objective):
    """L -> a distribution over ab bins, with cross-entropy (Zhang 2016, section 2.1 and 2.2).

    Attributes:
        bins: (Q, 2) float32, centres of the bins in units of Lab.
        shares: (Q,) float32, each bin's share of the loss: its share of the training pixels times its weight.
        weights: (Q,) float32, against the rarity of colours (eq. 4).
        neighbors: bins that a true colour is soft-encoded by.
        sigma: of the soft encoding, in units of Lab.
        stride: image pixels to a classified position, along an axis.
        offset: the logits from lightness alone, to which the network adds; None: it starts from the shares.
    """

    bins: torch.Tensor
    shares: torch.Tensor
    weights: torch.Tensor
    neighbors: int
    sigma: float
    stride: int
    offset: Offset | None = None

    @classmethod
    def from_settings(cls, settings: dict, device: torch.device) -> "ColorClassification":
        """From data/objectives/color_classification/train.json."""
        bins, shares, weights = (torch.tensor(settings[name], device=device) for name in ("bins", "shares", "weights"))
        offset = Offset.from_json(settings["offsets"][0]) if settings["offsets"] else None
        return cls(bins, shares, weights, settings["neighbors"], settings["sigma"], settings["stride"], offset)

    def build(self, model: Model) -> Autoencoder:
        """An untrained autoencoder, L -> logits of the bins, that holds the bins and predicts their shares.

        With an offset these are the shares given lightness. Without one the bias of the last layer is the log of the
        shares, the best constant prediction (Lin 2017, Focal Loss, section 3.3). From equal logits Adam's first steps
        all move towards it, in every layer, and leave the encoder's features with a few dominant directions.
        """
        count = len(self.bins)
        network = build_autoencoder(
            model,
            self.offset,
            input_channels="lightness",
            out_channels=count,
            output_stride=self.stride,
            bins=count,
        )
        network.bins.copy_(self.bins)
        if self.offset is None:
            with torch.no_grad():
                network.decoder.conv_out.bias.copy_((self.shares + UNSEEN_SHARE / count).log())
        return network

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """`loss`, a scalar in nats; `output` (N, Q, H / stride, W / stride)."""
        ab = downsample_ab(batch.lab[:, 1:], self.stride)
        loss = classification_loss(output, ab, self.bins, self.weights, self.neighbors, self.sigma)
        return {"loss": loss}


def classification_settings(classification: Classification, lightness_offset: bool) -> dict:
    """The settings for `ColorClassification.from_settings`: the palette of data/colors/prior.csv and its weights.

    Args:
        lightness_offset: whether `offsets` holds the logits from lightness alone, of data/colors/joint.npy.

    Raises:
        StageError: when a file of data/colors is missing, or the palette has fewer bins than `neighbors`.
    """
    bins, prior = read_prior()
    neighbors, sigma, stride = classification.neighbors, classification.sigma, classification.stride
    if neighbors > len(bins):
        raise StageError(
            f"classification.neighbors must be at most {len(bins)}, the number of bins of classification.bin_size "
            f"{classification.bin_size:g}; got {neighbors}"
        )
    smoothed = smoothed_prior(bins, prior, sigma)
    weights = rebalancing_weights(smoothed, classification.rebalance)
    offsets = [color_logits(read_joint(stride), bins, weights, neighbors, sigma)] if lightness_offset else []
    return {
        "bins": bins.tolist(),
        "shares": (smoothed * weights).round(12).tolist(),
        "weights": weights.round(9).tolist(),
        "neighbors": neighbors,
        "sigma": sigma,
        "stride": stride,
        "lightness_offset": lightness_offset,
        "offsets": [offset.to_json() for offset in offsets],
    }
