"""The encoder trained without colour: from lightness to the same lightness."""

from stages.controls.control import Control
from stages.controls.reconstruct_input import Reconstruction
from stages.formats.json import read_json


def control() -> Control:
    """The control, by data/objectives/reconstruction/train.json."""
    settings = read_json("data/objectives/reconstruction/train.json")
    return Control(Reconstruction("lightness", settings["output_stride"]))
