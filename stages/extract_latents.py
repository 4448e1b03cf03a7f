"""Stage: what an encoder makes of the images to be probed. `python -m stages.extract_latents colorization`

Reads data/encoders/<encoder>/ and data/lab/{probe,validation,test}.npy; writes data/latents/<encoder>/<subset>.npy,
float16 (N, V, C, h, w), with V = 2 views of the images that probes are trained on (the image, its mirror image)
and V = 1 of the others; the same in data/latents/<encoder>/<layer>/ for each other one of `latents.layers` that the
encoder has.
Pretraining seed k > 0 has all that in data/latents/<encoder>/seed_<k>/.
"""

import argparse
import contextlib
from pathlib import Path
from typing import get_args

from stages.dataset.arrays import latents_folder, open_lab8, seed_folder
from stages.dataset.manifest import VIEW_COUNTS
from stages.formats.npy import memory_mapped
from stages.runtime.entry_point import run
from stages.runtime.params import load_params
from stages.runtime.schema import Encoder


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("encoder", choices=get_args(Encoder))
    name = parser.parse_args().encoder
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.compute.device import device
    from stages.features.extraction import extract_features, layer_shapes
    from stages.formats.encoder import load_encoder

    layers, features, precision = params.latents.layers, params.latents.features, params.latents.precision
    for number in range(params.pretext.seeds):
        model = load_encoder(Path("data/encoders", name, seed_folder(number))).to(device())
        for subset, views in VIEW_COUNTS.items():
            array = open_lab8(subset)
            with contextlib.ExitStack() as files:
                outputs = {}
                for layer, shape in layer_shapes(model, layers, array.shape[-1], features).items():
                    path = latents_folder(name, number, layer) / f"{subset}.npy"
                    file = memory_mapped(path, (len(array), views, *shape), "float16")
                    outputs[layer] = files.enter_context(file)
                extract_features(model, array, outputs, precision)


if __name__ == "__main__":
    run(main)
