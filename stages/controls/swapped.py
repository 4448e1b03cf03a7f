"""The first of `pretext.objectives`, trained on the held-out classes in the place of as many seen ones."""

from importlib import import_module

from stages.compute.device import device
from stages.controls.control import Control
from stages.dataset.manifest import SWAPPED
from stages.formats.json import read_json


def control() -> Control:
    """The control, by data/objectives/swapped/train.json.

    Objective, settings and first weights are those of the encoder that it is compared with; so are the weights of rare
    colours and the lightness offset, although they were counted on the other's images. What differs is the images, see
    `stages.training.subsets.swapped_images`.

    Raises:
        StageError: as the objective's function `objective`.
    """
    share = read_json(f"data/objectives/{SWAPPED}/train.json")
    name, settings = share["objective"], share["settings"]
    objective = import_module(f"stages.objectives.{name}").objective(settings, device())
    return Control(objective, swapped=True, settings={"objective": name} | settings)
