"""Stage: what each objective and control depends on, a folder each. `python -m stages.prepare_objectives`

DVC's matrix gives every objective the same parameters, so a change of one objective's would train all of them again,
and likewise with controls. This cheap stage writes one file of settings for each, on which its training depends: where
the file's bytes stay the same, nothing reruns.

The control `swapped` is trained by the first objective: its share has a digest of the code that this objective imports.
So a change of a loss trains it again, and no other control, although DVC's matrix gives all controls the same code.

Reads the parameters of the objectives and data/colors; writes data/objectives/<objective>/train.json and paint.json,
and data/objectives/<control>/train.json.
"""

import hashlib
from importlib import import_module

from stages.dataset.manifest import SWAPPED
from stages.formats.json import write_json
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import Params
from stages.training.file_digest import update_digest

# With colorization's decoder, or trained for as many FLOPs as `reconstruction` takes with it.
WITH_ITS_COMPUTE = ("reconstruction", "autoencoder", "rotation", "vicreg")
# What an objective imports, and `train_control` does not declare.
ROOMS = ("stages/losses", "stages/palette")


def main() -> None:
    params = load_params()
    with whole_folder("data/objectives") as folder:
        for name in params.pretext.objectives:
            for part, settings in import_module(f"stages.objectives.{name}").settings(params).items():
                write_json(folder / name / f"{part}.json", settings)
        for name in params.pretext.controls:
            settings = control_settings(name, params)
            if name == SWAPPED:
                settings["code"] = code_digest(settings["objective"])
            write_json(folder / name / "train.json", settings)


def control_settings(name: str, params: Params) -> dict:
    """What the training of a control depends on, beyond what dvc.yaml gives to all of them; empty of most.

    `reconstruction` and `autoencoder` have colorization's output resolution, and so its decoder and its compute, which
    `rotation` and `vicreg` spend on more epochs; `swapped` has all that the first objective has.
    """
    if name == SWAPPED:
        first = params.pretext.objectives[0]
        return {"objective": first, "settings": import_module(f"stages.objectives.{first}").settings(params)["train"]}
    return {"output_stride": params.model.chroma_stride} if name in WITH_ITS_COMPUTE else {}


def code_digest(objective: str) -> str:
    """32 hexadecimal digits, of an objective's module and of `ROOMS`."""
    digest = hashlib.blake2b(digest_size=16)
    update_digest(digest, (f"stages/objectives/{objective}.py", *ROOMS))
    return digest.hexdigest()


if __name__ == "__main__":
    run(main)
