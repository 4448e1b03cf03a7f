"""Stage: train the autoencoder by an objective that paints colours. `python -m stages.train_autoencoder colorization`

Reads data/objectives/<objective>/train.json, data/lab/pretrain.npy and the in-domain part of data/lab/validation.npy;
writes data/encoders/<objective>/ and data/training/<objective>/ (DVCLive's series).
"""

import argparse
from typing import get_args

from stages.shared.interruption import run
from stages.shared.params import Objective, load_params


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("objective", choices=get_args(Objective))
    name = parser.parse_args().objective
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.pretext.adversary import Adversary
    from stages.pretext.color_classification import ColorClassification
    from stages.pretext.colorization import Colorization
    from stages.pretext.launching import launch
    from stages.pretext.objective_settings import read_settings
    from stages.pretext.pretraining import pretrain
    from stages.pretext.split_brain import SplitBrainPrediction
    from stages.shared.device import device

    if launch("train_autoencoder", name, params.train.processes):
        return
    objectives = {
        "colorization": Colorization,
        "color_classification": ColorClassification,
        "split_brain": SplitBrainPrediction,
    }
    objective = objectives[name].from_settings(read_settings(name, "train"), device())
    adversary = None
    if name == "colorization" and objective.loss.adversarial_weight > 0:

        def adversary(chosen):
            return Adversary(objective.loss.adversarial_weight, objective.loss.gradient_penalty, chosen)

    pretrain(name, objective, params, "train_autoencoder", adversary=adversary)


if __name__ == "__main__":
    run(main)
