"""What a control's module gives to `train_control`."""

from dataclasses import dataclass

from stages.training.loop import Objective


@dataclass(frozen=True)
class Control:
    """An encoder to compare with, and how it is trained.

    Attributes:
        objective: builds the network and computes its losses.
        trained: False: the weights stay as they were drawn.
        labelled: trained on the in-domain probe images with their labels, for as many steps, rather than on the
            `pretrain` ones.
    """

    objective: Objective
    trained: bool = True
    labelled: bool = False

    @property
    def processes(self) -> bool:
        """Whether several processes may share a batch: a BatchNorm of labelled training takes whole ones."""
        return self.trained and not self.labelled
