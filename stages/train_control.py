"""Stage: the encoders to compare with. `python -m stages.train_control random`

Each is a module of `stages.controls`. Reads and writes what `train_autoencoder` does, data/lab/probe.npy for
`supervised`, and data/held_out/swapped.npy for `swapped`. Of the objectives' parameters it reads those of
data/objectives/<control>/train.json, which is empty for most.
"""

import argparse
from importlib import import_module
from typing import get_args

from stages.runtime.entry_point import run
from stages.runtime.params import load_params
from stages.runtime.schema import Control


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("control", choices=get_args(Control))
    name = parser.parse_args().control
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.controls.control import FittedControl
    from stages.training.launch import launch
    from stages.training.pretraining import fit, pretrain

    module = import_module(f"stages.controls.{name}")
    control, description = module.control(), (module.__doc__ or name).splitlines()[0]
    if launch("train_control", name, params.train.processes, shardable=control.is_shardable):
        return
    if isinstance(control, FittedControl):
        return fit(name, control.fit, params, "train_control", description)
    pretrain(
        name,
        control.objective,
        params,
        "train_control",
        description,
        shared=control.is_shardable,
        trained=control.trained,
        labelled=control.labelled,
        swapped=control.swapped,
        objective_settings=control.settings,
        compute_of=control.compute_of,
    )


if __name__ == "__main__":
    run(main)
