"""The encoder trained to reproduce Lab from Lab: it sees colour (the comparison in Zhang 2017, section 4)."""

from stages.controls.control import Control
from stages.controls.reconstruct_input import Reconstruction


def control() -> Control:
    """The control."""
    return Control(Reconstruction("lab"))
