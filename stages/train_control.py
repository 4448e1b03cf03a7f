"""Stage: the encoders to compare with. `python -m stages.train_control random`

`random` is the untrained network; `reconstruction` is trained from lightness to lightness. Reads and writes what
`train_autoencoder` does, and none of `loss.*`.
"""

import argparse
from typing import get_args

from stages.pretext.pretraining import pretrain
from stages.pretext.reconstruction import Reconstruction
from stages.shared.interruption import run
from stages.shared.params import Control, load_params


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("control", choices=get_args(Control))
    name = parser.parse_args().control
    pretrain(name, Reconstruction(), params, stage="train_control", untrained=name == "random")


if __name__ == "__main__":
    run(main)
