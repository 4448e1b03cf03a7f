"""The group `probe` of the parameters, small, for the tests of this folder."""

from stages.runtime.schema import Probe

SMALL = {
    "representations": {"pixels": [], "latents": []},
    "seeds": 1,
    "epochs": 6,
    "batch_size": 8,
    "channels": [8, 16],
    "dropout": 0.0,
    "learning_rates": [0.01],
    "weight_decay": 0.01,
    "precision": "float32",
    "linear_grid": 2,
    "linear_c": [1.0],
    "knn_k": [5],
    "knn_temperature": 0.07,
    "shots": [1, 5],
    "draws": 2,
    "ridge_alphas": [1.0, 100.0],
    "depth_heads": ["ridge"],
    "folds": 4,
}


def settings(**changes) -> Probe:
    return Probe(**(SMALL | changes))
