"""The untrained encoder: what all that see lightness were before training."""

from stages.controls.control import Control
from stages.controls.reconstruct_input import Reconstruction


def control() -> Control:
    """The control."""
    return Control(Reconstruction("lightness"), trained=False)
