"""Stage: how well an encoder classifies food once it is trained on the labels. `python -m stages.finetune random`

Reads data/encoders/<encoder>/, data/lab/{probe,validation,test}.npy and data/split/manifest.csv; writes
data/probes/finetune/<encoder>/: tables of `stages.probing.tables`. The protocol is `stages.finetuning.protocol`.
"""

import argparse
from pathlib import Path
from typing import get_args

from stages.dataset.arrays import open_lab8, seed_folder
from stages.dataset.manifest import VIEW_COUNTS, read_manifest
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import Encoder


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("representation", choices=get_args(Encoder))
    name = parser.parse_args().representation
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.finetuning.protocol import finetune_representation
    from stages.finetuning.results import write_results
    from stages.formats.encoder import load_encoder

    manifest = read_manifest()
    lab8 = {subset: open_lab8(subset, manifest) for subset in VIEW_COUNTS}

    def encoder(pretraining_seed):
        return load_encoder(Path("data/encoders", name, seed_folder(pretraining_seed)))

    results = finetune_representation(encoder, lab8, manifest, params.finetune, params.seed, params.pretext.seeds)
    with whole_folder(f"data/probes/finetune/{name}") as folder:
        write_results(folder, results)


if __name__ == "__main__":
    run(main)
