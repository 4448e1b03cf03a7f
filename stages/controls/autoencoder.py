"""The encoder trained to reproduce Lab from Lab: it sees colour (the comparison in Zhang 2017, section 4)."""

from stages.controls.control import Control
from stages.controls.reconstruct_input import Reconstruction
from stages.formats.json import read_json


def control() -> Control:
    """The control, by data/objectives/autoencoder/train.json."""
    settings = read_json("data/objectives/autoencoder/train.json")
    return Control(Reconstruction("lab", settings["output_stride"]))
