"""Stage: what each of `pretext.objectives` depends on, a folder each. `python -m stages.prepare_objectives`

Reads the parameters of the objectives and data/colors/prior.csv; writes data/objectives/<objective>/train.json and
paint.json.
"""

import json

from stages.pretext.objective_settings import FOLDER, objective_settings
from stages.shared.interruption import run
from stages.shared.outputs import whole_folder
from stages.shared.params import load_params


def main() -> None:
    params = load_params()
    with whole_folder(FOLDER) as folder:
        for name in params.pretext.objectives:
            (folder / name).mkdir()
            for part, settings in objective_settings(name, params).items():
                (folder / name / f"{part}.json").write_text(
                    json.dumps(settings, sort_keys=True) + "\n", encoding="utf-8"
                )


if __name__ == "__main__":
    run(main)
