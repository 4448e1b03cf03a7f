"""Features whose classes differ by the channel that is bright, and the protocol run on them."""

import numpy as np
import pandas as pd

from stages.probing.protocol import probe_representation
from stages.probing.source import FeatureSource
from tests.probing.settings import settings

CLASSES = {"in": ["apple", "cake", "stew"], "out": ["bread", "tart"]}
MATCHED = ["apple", "stew"]
IMAGES = {"probe": 12, "validation": 8, "test": 7}
GRID = {"seeds": 2, "epochs": 4, "channels": [8], "learning_rates": [1e-9, 0.02], "linear_c": [1e-9, 1.0]}
LAYERS = ["noise", "latent", "clear"]
SIGNAL = {"noise": 0.0, "latent": 0.2, "clear": 3.0}


def make_manifest() -> pd.DataFrame:
    rows = [
        (f"{label}/{subset}{number:02}", label, domain, subset, str(int(label in MATCHED)))
        for domain, labels in CLASSES.items()
        for label in labels
        for subset, count in IMAGES.items()
        for number in range(count)
    ]
    return pd.DataFrame(sorted(rows), columns=["image", "label", "domain", "subset", "matched"])


def features(manifest, signal: float, seed: int = 0, size: int = 4) -> dict[str, np.ndarray]:
    """Arrays by subset; a domain's classes are told apart only within it."""
    rng = np.random.default_rng(seed)
    found = {}
    for subset in IMAGES:
        rows = manifest[manifest["subset"] == subset]
        views = 2 if subset == "probe" else 1
        values = rng.normal(size=(len(rows), views, 3, size, size))
        for row, (label, domain) in enumerate(zip(rows["label"], rows["domain"], strict=True)):
            values[row, :, CLASSES[domain].index(label)] += signal
        found[subset] = values.astype(np.float16)
    return found


def probe(arrays, manifest, **changes):
    """One layer, which gets every head."""
    return _run({(0, "pixels"): arrays}, manifest, ["pixels"], ["pixels"], 9000, GRID | changes)


def probe_layers(encoders, manifest, layers=LAYERS, max_features=9000, **changes):
    """Arrays by pretraining seed and layer."""
    return _run(encoders, manifest, layers, ["latent"], max_features, GRID | {"seeds": 1} | changes)


def _run(encoders, manifest, layers, fixed, max_features, changes):
    def read(pretraining_seed, layer, subset, rows):
        return encoders[pretraining_seed, layer][subset][rows]

    source = FeatureSource(read, tuple(layers), tuple(fixed), len({seed for seed, _ in encoders}), max_features)
    return probe_representation(source, manifest, settings(**changes), 0)


def tables(results):
    return [results.predictions, results.curves, results.choices, results.layers, results.few_shot]
