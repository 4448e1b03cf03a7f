"""Stage: how well food is classified from pixels. `python -m stages.train_pixel_probes rgb`

Reads data/lab/{probe,validation,test}.npy and data/split/manifest.csv; writes data/probes/<representation>/: the tables
of `stages.probing.tables` and of `stages.probing.crossover`, and the conv probe of seed 0: conv-<domain>.safetensors
and conv.json. The protocol is that of the encoders' probes; pixels are a single layer.
"""

import argparse
from typing import get_args

from stages.dataset.arrays import open_lab8
from stages.dataset.manifest import VIEW_COUNTS, crossover_tasks, read_manifest
from stages.models.geometry import latent_stride
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.runtime.schema import PixelRepresentation


def main() -> None:
    params = load_params()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("representation", choices=get_args(PixelRepresentation))
    name = parser.parse_args().representation
    # Torch takes seconds to import: first the parameters and the arguments must be sound.
    from stages.pixels.features import pixel_features
    from stages.pixels.saved_probe import save_probes
    from stages.probing.crossover import probe_tasks, write_crossover
    from stages.probing.protocol import probe_representation
    from stages.probing.results import write_results
    from stages.probing.source import FeatureSource
    from stages.probing.tables import PIXELS_LAYER

    stride = latent_stride(params.model.block_out_channels)
    manifest = read_manifest()
    lab8 = {subset: open_lab8(subset, manifest) for subset in VIEW_COUNTS}

    def read(pretraining_seed, layer, subset, rows):
        return pixel_features(lab8[subset][rows], name, stride=stride, views=VIEW_COUNTS[subset])

    source = FeatureSource(read, (PIXELS_LAYER,), (PIXELS_LAYER,), 1, params.latents.features)
    results = probe_representation(source, manifest, params.probe, params.seed)
    tasks, head = crossover_tasks(manifest, name), params.compare.primary.head
    crossover = probe_tasks(source, manifest, tasks, head, params.probe, params.seed)
    with whole_folder(f"data/probes/{name}") as folder:
        write_results(folder, results)
        write_crossover(folder, crossover)
        save_probes(folder, results.conv, name, stride, params.probe)


if __name__ == "__main__":
    run(main)
