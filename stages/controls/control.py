"""What the function `control` of a control's module returns to `train_control`, and the network of some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from stages.training.objective import Objective

if TYPE_CHECKING:
    from stages.models.autoencoder import Autoencoder
    from stages.models.pretrained import PretrainedEncoder
    from stages.runtime.schema import Model
    from stages.training.images import Images


@dataclass(frozen=True)
class Control:
    """An encoder to compare with, and how it is trained.

    Attributes:
        objective: the network and its losses.
        trained: False: the weights stay as they were drawn.
        labelled: whether it trains on the in-domain probe images with their labels, for as many steps, rather than on
            the `pretrain` ones.
        swapped: whether images of the held-out classes take the place of those of the matched ones, see
            `stages.training.subsets.swapped_images`.
        settings: of the objective, for the model card; None where it has none.
        compute_of: it trains for as many FLOPs as this objective takes in `train.epochs`, see `stages.training.budget`;
            None: for `train.epochs`.
        whole_batches: its loss or its BatchNorm compares the images of a batch, so a batch is never shared by
            processes: one trains it, whatever `train.processes` is.
    """

    objective: Objective
    trained: bool = True
    labelled: bool = False
    swapped: bool = False
    settings: dict | None = None
    compute_of: Objective | None = None
    whole_batches: bool = False

    @property
    def is_shardable(self) -> bool:
        """Whether several processes may share a batch."""
        return self.trained and not self.whole_batches


@dataclass(frozen=True)
class FittedControl:
    """An encoder that is computed from images at once: no loop, no gradient, nothing of `train.*`
    that sets a loop.

    Attributes:
        fit: (`pretrain` images, in-domain `validation` images, `model.*`, seed) -> the encoder, and its losses on the
            validation images by name. Must follow from these alone.
    """

    fit: Callable[[Images, Images, Model, int], tuple[PretrainedEncoder, dict[str, float]]]

    @property
    def is_shardable(self) -> bool:
        """Whether several processes may share it: never."""
        return False


class EncoderWithHead(nn.Module):
    """`head` on the activations of `layer`.

    The autoencoder's decoder takes no part and stays as it was drawn: it is there so that the encoder is drawn and
    saved like any other.

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
