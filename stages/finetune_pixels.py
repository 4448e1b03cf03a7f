"""Stage: the encoder, trained from scratch with colour in sight. `python -m stages.finetune_pixels rgb`

Reads data/lab/{probe,validation,test}.npy and data/split/manifest.csv; writes data/probes/finetune/rgb/. The encoder is
drawn as `random` is, with the same seeds, but has three input channels, L, a and b. The protocol is that of the
encoders, `stages.finetuning.protocol`.
"""

import argparse
from typing import get_args

from stages.dataset.arrays import open_lab8
from stages.dataset.manifest import VIEW_COUNTS, read_manifest
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import FinetunedPixels


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("representation", choices=get_args(FinetunedPixels))
    name = parser.parse_args().representation
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    import torch

    from stages.finetuning.protocol import finetune_representation
    from stages.finetuning.results import write_results
    from stages.models.autoencoder import build_autoencoder

    manifest = read_manifest()
    lab8 = {subset: open_lab8(subset, manifest) for subset in VIEW_COUNTS}

    def encoder(pretraining_seed):
        torch.manual_seed(params.seed + pretraining_seed)
        return build_autoencoder(params.model, input_channels="lab", out_channels=1)

    results = finetune_representation(encoder, lab8, manifest, params.finetune, params.seed, params.pretext.seeds)
    with whole_folder(f"data/probes/finetune/{name}") as folder:
        write_results(folder, results)


if __name__ == "__main__":
    run(main)
