"""The encoder trained without colour: from lightness to the same lightness."""

from stages.controls.control import Control
from stages.controls.reconstruct_input import Reconstruction


def control() -> Control:
    """The control."""
    return Control(Reconstruction("lightness"))
