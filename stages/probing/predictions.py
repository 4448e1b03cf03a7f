"""Test images, read when everything is fitted, each once for each layer and pretraining seed."""

import numpy as np
import pandas as pd

from stages.classifiers.domains import Domain
from stages.probing.layer_probes import HEADS, predict_layer
from stages.probing.representation import Fitted, Representation
from stages.probing.results import few_shot_rows, prediction_table
from stages.runtime.schema import Probe

TEST_CHUNK = 2048  # test images whose features are in memory at once


def predict_domain(
    domain: Domain, fitted: Fitted, representation: Representation, settings: Probe
) -> tuple[list[pd.DataFrame], list[dict], dict[tuple[str, str], np.ndarray]]:
    """Ask all the probes of a domain: tables of predictions, rows of few_shot.csv, and `Findings.hits`."""
    test = domain.images["test"]
    tables, rows, hits = [], [], {}
    for layer in representation.layers:
        found, right = {}, []
        for pretraining_seed in range(representation.pretraining_seeds):
            probes = fitted[layer, pretraining_seed]
            parts = []
            for start in range(0, len(test.positions), TEST_CHUNK):
                positions = test.positions[start : start + TEST_CHUNK]
                features = representation.read(pretraining_seed, layer, "test", positions)
                parts.append(predict_layer(probes, features, settings, representation.limit))
            for head, seed in parts[0][0]:
                found[HEADS.index(head), pretraining_seed, seed] = np.concatenate(
                    [part[head, seed] for part, _ in parts]
                )
            if probes.heads:
                right.append(np.concatenate([drawn for _, drawn in parts], axis=1) == test.labels)
                rows += few_shot_rows(domain, layer, pretraining_seed, probes.heads.few_shot, right[-1])
        for place in sorted(found):
            head, pretraining_seed, seed = place
            tables.append(prediction_table(domain, layer, HEADS[head], pretraining_seed, seed, found[place]))
        if right:
            hits[domain.name, layer] = np.concatenate(right).astype(np.uint8)
    return tables, rows, hits
