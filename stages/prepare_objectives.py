"""Stage: what each of `pretext.objectives` depends on, a folder each. `python -m stages.prepare_objectives`

DVC's matrix gives every objective the same parameters, so a change of one objective's would train all of them again.
This cheap stage writes to each its own share, and the training depends on that file: where its bytes stay, nothing
reruns.

Reads the parameters of the objectives and data/colors; writes data/objectives/<objective>/train.json and paint.json.
"""

from importlib import import_module

from stages.formats.json import write_json
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    with whole_folder("data/objectives") as folder:
        for name in params.pretext.objectives:
            for part, settings in import_module(f"stages.objectives.{name}").settings(params).items():
                write_json(folder / name / f"{part}.json", settings)


if __name__ == "__main__":
    run(main)
