"""What every head has in common: it tries the values of one hyperparameter and keeps the best on validation images."""

from typing import NamedTuple

import numpy as np

from stages.runtime.errors import StageError


class Trial(NamedTuple):
    """One value of a hyperparameter, with the accuracy in [0, 1] and the loss in nats on validation images."""

    value: float
    accuracy: float
    loss: float


class CurvePoint(NamedTuple):
    """One epoch of a learning curve; losses are means over images, in nats. `seed` is the probe's."""

    seed: int
    learning_rate: float
    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


class FittedHead(NamedTuple):
    """A head fitted to one layer.

    Attributes:
        probes: fitted with the selected value, one a probe seed; the head's `predict` takes one of them.
        hyperparameter: as choices.csv names it.
        trials: one a value, in the order of the parameter's list.
        selected: index of the trial that was selected.
        curves: of every fit, where the head is trained in epochs.
    """

    probes: tuple
    hyperparameter: str
    trials: tuple[Trial, ...]
    selected: int
    curves: tuple[CurvePoint, ...] = ()


def select_hyperparameter(trials: list[Trial], parameter: str, group: str = "probe") -> int:
    """Index of the trial with the highest accuracy; of equals the lowest loss, then the smallest value.

    Args:
        trials: on validation images; those with a loss that is not finite diverged.
        parameter, group: the list of values, and the group of the parameters that has it, for the message.

    Raises:
        StageError: when every trial diverged.
    """
    finite = [index for index, trial in enumerate(trials) if np.isfinite(trial.loss)]
    if not finite:
        raise StageError(
            f"the probe diverged at every value of {group}.{parameter}: "
            f"{', '.join(f'{trial.value:g}' for trial in trials)}. Add a smaller one."
        )
    return max(finite, key=lambda index: (trials[index].accuracy, -trials[index].loss, -trials[index].value))
