"""The tables that come of probing a representation; their columns are those of data/probes/<representation>/."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.classifiers.conv import ConvProbe
from stages.classifiers.domains import Domain
from stages.probing.few_shot import Draw
from stages.probing.layer_probes import HEADS
from stages.probing.scores import cross_entropy, top_k_hits


class Findings(NamedTuple):
    """What one representation came to.

    Attributes:
        hits: for each domain and layer, (its rows of `few_shot`, test images) uint8, 1 where a draw was right.
        conv: by the domain's name.
    """

    predictions: pd.DataFrame
    curves: pd.DataFrame
    choices: pd.DataFrame
    layers: pd.DataFrame
    few_shot: pd.DataFrame
    hits: dict[tuple[str, str], np.ndarray]
    conv: dict[str, ConvProbe]


def in_order(rows: list[dict], layers: list[str]) -> list[dict]:
    """Rows of one domain by layer, head and pretraining seed, as a reader looks for them; else as they came."""
    return sorted(rows, key=lambda row: (layers.index(row["layer"]), HEADS.index(row["head"]), row["pretraining_seed"]))


def prediction_table(
    domain: Domain, layer: str, head: str, pretraining_seed: int, seed: int, log_probabilities: np.ndarray
) -> pd.DataFrame:
    """A row for each of the domain's test images, of the log-probabilities (N, K) of one probe."""
    test = domain.images["test"]
    columns = {
        "domain": domain.name,
        "layer": layer,
        "head": head,
        "pretraining_seed": pretraining_seed,
        "seed": seed,
        "image": test.names,
        "label": domain.classes[test.labels],
        "predicted": domain.classes[log_probabilities.argmax(axis=1)],
        "top5": top_k_hits(log_probabilities, test.labels, 5).astype(int),
        "loss": cross_entropy(log_probabilities, test.labels).astype(np.float64),
    }
    return pd.DataFrame(columns)


def few_shot_rows(domain: Domain, layer: str, pretraining_seed: int, draws: list[Draw], hits: np.ndarray) -> list[dict]:
    """A row for each draw, in step with `hits` (draws, N)."""
    return [
        {
            "domain": domain.name,
            "layer": layer,
            "pretraining_seed": pretraining_seed,
            "shots": draw.shots,
            "labels": draw.labels,
            "draw": draw.draw,
            "alpha": draw.alpha,
            "validation_accuracy": draw.validation_accuracy,
            "test_accuracy": right.mean(),
        }
        for draw, right in zip(draws, hits, strict=True)
    ]
