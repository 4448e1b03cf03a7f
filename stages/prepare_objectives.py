"""Stage: what each objective and control depends on, a folder each. `python -m stages.prepare_objectives`

DVC's matrix gives every objective the same parameters, so a change of one objective's would train all of them again,
and likewise with controls. This cheap stage writes to each its own share, and the training depends on that file: where
its bytes stay, nothing reruns.

Reads the parameters of the objectives and data/colors; writes data/objectives/<objective>/train.json and paint.json,
and data/objectives/<control>/train.json.
"""

from importlib import import_module

from stages.formats.json import write_json
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import Params

RECONSTRUCTIONS = ("reconstruction", "autoencoder")


def main() -> None:
    params = load_params()
    with whole_folder("data/objectives") as folder:
        for name in params.pretext.objectives:
            for part, settings in import_module(f"stages.objectives.{name}").settings(params).items():
                write_json(folder / name / f"{part}.json", settings)
        for name in params.pretext.controls:
            write_json(folder / name / "train.json", control_settings(name, params))


def control_settings(name: str, params: Params) -> dict:
    """What the training of a control depends on, beyond what dvc.yaml gives to all of them; empty of most.

    `reconstruction` and `autoencoder` have colorization's output resolution, and so its decoder and its compute.
    """
    return {"output_stride": params.model.chroma_stride} if name in RECONSTRUCTIONS else {}


if __name__ == "__main__":
    run(main)
