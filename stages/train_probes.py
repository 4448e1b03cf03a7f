"""Stage: how well food is classified from an encoder's layers. `python -m stages.train_probes colorization`

Reads data/latents/<encoder>/ (see `stages.dataset.arrays.latents_folder`) and data/split/manifest.csv; writes
data/probes/<encoder>/: the tables of `stages.probing.tables`, and those of `stages.probing.crossover`, which are all
that `swapped` is probed for. The protocol is that of the pixels' probes.
"""

import argparse
from typing import get_args

from stages.dataset.arrays import latents_folder, open_subset
from stages.dataset.manifest import SWAPPED, VIEW_COUNTS, crossover_tasks, read_manifest
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
    from stages.probing.crossover import probe_tasks, write_crossover
    from stages.probing.protocol import probe_representation
    from stages.probing.results import write_results
    from stages.probing.source import FeatureSource
    from stages.probing.tables import LATENT_LAYER

    manifest = read_manifest()
    seeds = params.pretext.seeds
    # Not every encoder has every layer: `extract_latents` wrote those that this one has. Where it wrote none, the error
    # names the first.
    asked = params.latents.layers
    layers = [layer for layer in asked if latents_folder(name, 0, layer).is_dir()] or asked
    latents = {
        (seed, layer, subset): open_subset(latents_folder(name, seed, layer), subset, manifest)
        for seed in range(seeds)
        for layer in layers
        for subset in VIEW_COUNTS
    }

    def read(pretraining_seed, layer, subset, rows):
        return latents[pretraining_seed, layer, subset][rows]

    primary = params.compare.primary
    source = FeatureSource(read, tuple(layers), (primary.layer, LATENT_LAYER), seeds, params.latents.features)
    tasks = crossover_tasks(manifest, name)
    results = None if name == SWAPPED else probe_representation(source, manifest, params.probe, params.seed)
    crossover = probe_tasks(source, manifest, tasks, primary.head, params.probe, params.seed)
    with whole_folder(f"data/probes/{name}") as folder:
        if results:
            write_results(folder, results)
        write_crossover(folder, crossover)


if __name__ == "__main__":
    run(main)
