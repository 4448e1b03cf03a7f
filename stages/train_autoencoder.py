"""Stage: train the autoencoder by an objective that paints colours. `python -m stages.train_autoencoder colorization`

Reads data/lab/pretrain.npy and the in-domain part of data/lab/validation.npy; writes data/encoders/<objective>/ and
data/training/<objective>/ (DVCLive's series).
"""

import argparse
from typing import get_args

from stages.pretext.colorization import Colorization
from stages.pretext.pretraining import pretrain
from stages.shared.device import device
from stages.shared.interruption import run
from stages.shared.params import Objective, load_params


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("objective", choices=get_args(Objective))
    name = parser.parse_args().objective
    pretrain(name, Colorization.from_params(params.loss, device()), params, stage="train_autoencoder")


if __name__ == "__main__":
    run(main)
