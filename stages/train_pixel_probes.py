"""Stage: how well food is classified from pixels. `python -m stages.train_pixel_probes rgb`

Reads data/lab/{probe,validation,test}.npy and data/split/manifest.csv; writes data/probes/<representation>/:
predictions.csv, curves.csv, choices.csv. The protocol is that of the latents.
"""

import argparse
from typing import get_args

from stages.food101.manifest import read_manifest
from stages.probing.features import pixel_features
from stages.probing.files import open_subsets, write_findings
from stages.probing.protocol import probe_representation
from stages.shared.interruption import run
from stages.shared.params import PixelRepresentation, load_params

VIEWS = {"probe": 2, "validation": 1, "test": 1}


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("representation", choices=get_args(PixelRepresentation))
    name = parser.parse_args().representation
    stride = params.model.stride
    manifest = read_manifest()
    lab8 = open_subsets("data/lab", manifest)

    def read(subset, positions):
        return pixel_features(lab8[subset][positions], name, stride=stride, views=VIEWS[subset])

    findings = probe_representation(read, manifest, params.probe, params.seed)
    write_findings(f"data/probes/{name}", findings)


if __name__ == "__main__":
    run(main)
