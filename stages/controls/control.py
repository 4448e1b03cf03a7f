"""What the function `control` of a control's module returns to `train_control`."""

from dataclasses import dataclass

from stages.training.objective import Objective


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
    """

    objective: Objective
    trained: bool = True
    labelled: bool = False
    swapped: bool = False
    settings: dict | None = None

    @property
    def is_shardable(self) -> bool:
        """Whether several processes may share a batch: the BatchNorm of labelled training takes whole ones."""
        return self.trained and not self.labelled
