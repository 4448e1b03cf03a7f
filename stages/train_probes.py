"""Stage: how well food is classified from an encoder's layers. `python -m stages.train_probes colorization`

Reads data/latents/<encoder>/ (its own arrays are the layer `latent`, those of other layers lie in folders named after
them, those of pretraining seeds above 0 in seed_<k>/) and data/split/manifest.csv; writes data/probes/<encoder>/:
predictions.csv, curves.csv, choices.csv, layers.csv, few_shot.csv, few_shot/. The protocol is that of the pixel arms.
"""

import argparse
from pathlib import Path
from typing import get_args

from stages.dataset.arrays import seed_folder
from stages.dataset.manifest import read_manifest
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import Encoder

HEADLINE = "latent"


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("representation", choices=get_args(Encoder))
    name = parser.parse_args().representation
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.probing.files import open_subsets, write_findings
    from stages.probing.protocol import probe_representation
    from stages.probing.representation import Representation

    manifest = read_manifest()
    layers, seeds = params.latents.layers, params.pretext.seeds
    latents = {
        (seed, layer): open_subsets(latents_folder(name, seed, layer), manifest)
        for seed in range(seeds)
        for layer in layers
    }

    def read(pretraining_seed, layer, subset, positions):
        return latents[pretraining_seed, layer][subset][positions]

    representation = Representation(read, layers, HEADLINE, seeds, params.latents.features)
    findings = probe_representation(representation, manifest, params.probe, params.seed)
    with whole_folder(f"data/probes/{name}") as part:
        write_findings(part, findings)


def latents_folder(encoder: str, pretraining_seed: int, layer: str) -> Path:
    """Where the arrays of a layer lie."""
    return Path("data/latents", encoder, seed_folder(pretraining_seed), "" if layer == HEADLINE else layer)


if __name__ == "__main__":
    run(main)
