"""How a setting is chosen: on validation images, by accuracy, then by loss, then the smaller value."""

from typing import NamedTuple

import numpy as np

from stages.runtime.errors import StageError


class Trial(NamedTuple):
    """A fitted probe, the value of the setting it was fitted with, and its scores on validation images."""

    value: float
    accuracy: float
    loss: float
    probe: object


def choose(trials: list[Trial], key: str) -> Trial:
    """The trial with the highest accuracy; of equals the lowest loss, then the smallest value.

    `key` is the parameter of `probe` that lists the values, for the message.

    Raises:
        StageError: when no trial has a finite loss.
    """
    sound = [trial for trial in trials if np.isfinite(trial.loss)]
    if not sound:
        raise StageError(
            f"the probe diverged at every value of probe.{key}: "
            f"{', '.join(f'{trial.value:g}' for trial in trials)}. Add a smaller one."
        )
    return max(sound, key=lambda trial: (trial.accuracy, -trial.loss, -trial.value))
