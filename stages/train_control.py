"""Stage: the encoders to compare with. `python -m stages.train_control random`

`random` is the untrained network; `reconstruction` is trained from lightness to lightness; `autoencoder` from Lab to
Lab, so it sees colour; `supervised` from lightness to the classes of the in-domain probe images, for as many steps.
Reads and writes what `train_autoencoder` does, and data/lab/probe.npy for the last; none of the objectives'
parameters.
"""

import argparse
from typing import get_args

from stages.food101.manifest import domain_classes, read_manifest
from stages.shared.interruption import run
from stages.shared.params import Control, load_params


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("control", choices=get_args(Control))
    name = parser.parse_args().control
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.pretext.launching import launch
    from stages.pretext.pretraining import pretrain
    from stages.pretext.reconstruction import Reconstruction
    from stages.pretext.supervised import Classification

    # `random` is not trained, and the BatchNorm of `supervised` takes its moments over whole batches.
    if name not in ("random", "supervised") and launch("train_control", name, params.train.processes):
        return
    if name == "supervised":
        objective = Classification(len(domain_classes(read_manifest(), "in")))
    else:
        objective = Reconstruction("lab" if name == "autoencoder" else "lightness")
    pretrain(name, objective, params, "train_control", untrained=name == "random", labelled=name == "supervised")


if __name__ == "__main__":
    run(main)
