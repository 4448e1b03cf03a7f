"""Stage: train the autoencoder by an objective that paints colours. `python -m stages.train_autoencoder colorization`

Reads data/objectives/<objective>/train.json, data/lab/pretrain.npy and the in-domain part of data/lab/validation.npy,
with train.online_probe all of it and data/lab/probe.npy;
writes data/encoders/<objective>/ and data/training/<objective>/ (DVCLive's series).
"""

import argparse
from importlib import import_module
from typing import get_args

from stages.runtime.entry_point import run
from stages.runtime.params import load_params
from stages.runtime.schema import Objective


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("objective", choices=get_args(Objective))
    name = parser.parse_args().objective
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.compute.device import device
    from stages.formats.json import read_json
    from stages.training.launch import launch
    from stages.training.pretraining import pretrain

    if launch("train_autoencoder", name, params.train.processes):
        return
    settings = read_json(f"data/objectives/{name}/train.json")
    module = import_module(f"stages.objectives.{name}")
    objective, description = module.objective(settings, device()), (module.__doc__ or name).splitlines()[0]
    pretrain(name, objective, params, "train_autoencoder", description, objective_settings=settings)


if __name__ == "__main__":
    run(main)
