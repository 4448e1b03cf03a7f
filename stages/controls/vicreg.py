"""The encoder trained to give two views of a photograph the same features, from lightness alone.

VICReg (Bardes, Ponce and LeCun 2022, arXiv 2105.04906).

Settings that matter:
    views           two an image: a flip, a square crop whose edge is 0.4 to 1 of the image's, contrast and brightness
                    of L changed by up to 40 % (the paper's crops keep 8 to 100 % of the area, its jitter is 40 %; its
                    blur, solarisation and jitter of colour are left out)
    expander        three linear layers, BatchNorm and ReLU between them, four times as wide as the mid block (the
                    paper: 8,192 on 2,048), on the mean of the mid block's positions; layers after it stay as they were
                    drawn. Its BatchNorm sees both views of a batch together
    loss            invariance 25, variance 25, covariance 1, as in the paper
    batch           `train.batch_size` images, whose variance and covariance the loss takes: one process trains it
    epochs          as many FLOPs as `reconstruction` takes in `train.epochs`: it has no decoder, but two views an image
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from stages.classifiers.network import PositionMean
from stages.compute.batches import Batch
from stages.controls.control import Control, EncoderWithHead
from stages.controls.reconstruct_input import Reconstruction
from stages.formats.json import read_json
from stages.models.autoencoder import Autoencoder, build_autoencoder
from stages.runtime.schema import Model
from stages.training.augmentation import augment
from stages.training.distributed import Shard
from stages.training.objective import Objective

VIEWS = (1, 2)  # of the batch's random numbers
SMALLEST_CROP = 0.4  # edge, in units of the image's
LIGHTNESS_JITTER = 0.4
EXPANSION = 4
INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0  # weights: lambda, mu, nu (section 4.2)
GAMMA, EPSILON = 1.0, 1e-4  # of the hinge (eq. 1)


def control() -> Control:
    """The control, by data/objectives/vicreg/train.json."""
    settings = read_json("data/objectives/vicreg/train.json")
    return Control(VICReg(), compute_of=Reconstruction("lightness", settings["output_stride"]), whole_batches=True)


def vicreg_losses(first: torch.Tensor, second: torch.Tensor) -> dict[str, torch.Tensor]:
    """The loss of two batches of embeddings, and its terms before they are weighted (section 4.1, eq. 1 to 6).

    As in the authors' code and in lightly's `VICRegLoss`, the invariance term is a mean over D and the variance term a
    mean over both views, where the paper sums. A batch of one image has no variance: that term is then at its largest.

    Args:
        first, second: (N, D) floating point, row i of both of the same image.

    Returns:
        `loss`, `invariance`, `variance` and `covariance`, scalars.
    """
    invariance = F.mse_loss(first, second)
    variance = covariance = 0.0
    for view in (first, second):
        images, dimensions = view.shape
        centered = view - view.mean(dim=0)
        scatter = centered.T @ centered / max(images - 1, 1)
        deviations = (scatter.diagonal() + EPSILON).sqrt()
        variance = variance + F.relu(GAMMA - deviations).mean() / 2
        covariance = covariance + (scatter.square().sum() - scatter.diagonal().square().sum()) / dimensions
    loss = INVARIANCE * invariance + VARIANCE * variance + COVARIANCE * covariance
    return {"loss": loss, "invariance": invariance, "variance": variance, "covariance": covariance}


@dataclass
class VICReg(Objective):
    """L of two views -> embeddings that are alike, of unit variance and uncorrelated."""

    def build(self, model: Model) -> EncoderWithHead:
        """An untrained network."""
        autoencoder = build_autoencoder(model, input_channels="lightness", out_channels=1)
        width, layers = EXPANSION * model.block_out_channels[-1], []
        for inputs in (model.block_out_channels[-1], width):
            layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU()]
        expander = nn.Sequential(PositionMean(), *layers, nn.Linear(width, width, bias=False))
        return EncoderWithHead(autoencoder, "mid", expander)

    def views(self, batch: Batch, seed: list[int], shard: Shard) -> Batch:
        """Two views an image: (2 N, 3, S, S), the first views of all images, then the second ones."""
        augmented = (
            augment(batch.unjittered, LIGHTNESS_JITTER, SMALLEST_CROP, *seed, shard, view=view)[0] for view in VIEWS
        )
        lab = torch.cat([*augmented])
        return Batch(lab, lab)

    def losses(self, output: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        """Those of `vicreg_losses`; `output` (2 N, D)."""
        # Autocast would round the covariance's matrix product to bfloat16; doubles it leaves alone.
        return vicreg_losses(*output.double().chunk(2))

    def encoder(self, network: EncoderWithHead) -> Autoencoder:
        """Without the expander."""
        return network.autoencoder
