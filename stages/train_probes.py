"""Stage: how well food is classified from latents. `python -m stages.train_probes colorization`

Reads data/latents/<encoder>/{probe,validation,test}.npy and data/split/manifest.csv; writes
data/probes/<encoder>/: predictions.csv, curves.csv, choices.csv. The protocol is that of the pixel arms.
"""

import argparse
from typing import get_args

from stages.food101.manifest import read_manifest
from stages.probing.files import open_subsets, write_findings
from stages.probing.protocol import probe_representation
from stages.shared.interruption import run
from stages.shared.params import LatentRepresentation, load_params


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("representation", choices=get_args(LatentRepresentation))
    name = parser.parse_args().representation
    manifest = read_manifest()
    latents = open_subsets(f"data/latents/{name}", manifest)

    def read(subset, positions):
        return latents[subset][positions]

    findings = probe_representation(read, manifest, params.probe, params.seed)
    write_findings(f"data/probes/{name}", findings)


if __name__ == "__main__":
    run(main)
