"""Stage: what an encoder makes of the images to be probed. `python -m stages.extract_latents colorization`

Reads data/encoders/<encoder>/ and data/lab/{probe,validation,test}.npy; writes data/latents/<encoder>/<subset>.npy,
float16 (N, V, C, h, w), with V = 2 views of the images that probes are trained on (the image, its mirror image)
and V = 1 of the others.
"""

import argparse
from typing import get_args

from stages.pretext.autoencoder import load_autoencoder
from stages.pretext.encoding import encode
from stages.shared.device import device
from stages.shared.interruption import run
from stages.shared.outputs import memory_mapped, open_array
from stages.shared.params import LatentRepresentation, load_params

VIEWS = {"probe": 2, "validation": 1, "test": 1}


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("encoder", choices=get_args(LatentRepresentation))
    name = parser.parse_args().encoder
    model = load_autoencoder(f"data/encoders/{name}").to(device())
    for subset, views in VIEWS.items():
        array = open_array(f"data/lab/{subset}.npy")
        shape = (len(array), views, *model.latent_shape(array.shape[-1]))
        with memory_mapped(f"data/latents/{name}/{subset}.npy", shape, "float16") as latents:
            encode(model, array, latents, params.latents.precision)


if __name__ == "__main__":
    run(main)
