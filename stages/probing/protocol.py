"""How a representation is judged: one protocol, whatever the representation is.

For each domain by itself, with labels numbered within it:
1. On every layer, for every pretraining seed, the ridge probe is fitted to all labels; its alpha is chosen on the
   domain's validation images. The layer with the highest validation accuracy, as a mean over pretraining seeds, is
   the best layer; of equals the earlier.
2. The headline layer and the best layer get the other heads, for every pretraining seed. Channels are standardised by
   mean and variance over the domain's probe images. The conv probe's learning rate (with its seed 0), the linear
   probe's C and the k-NN probe's k are chosen on validation images, from grids that all representations share.
3. The conv probe is fitted for every seed at the chosen rate; the fit that was chosen is seed 0's.
4. The same two layers get the ridge probe with few labels, drawn alike for all representations.
5. When both domains are done with that, test images are read, each once a layer and pretraining seed, and predicted.

Ridge and few labels see the layer averaged over blocks until an image has at most `latents.features` values, each
feature brought to mean 0 and variance 1 over the domain's probe images, whose labels that takes no notice of; the
image itself trains them, without its mirror image. So it does the k-NN probe, which sees what the linear probe sees.
The conv and the linear probe train on both. Choices go by accuracy, then by loss, then to the smaller value.

The loss of a test image is the cross-entropy in nats of the head's probabilities: of the conv and the linear probe
their softmax, of k-NN the neighbours' share of the weights (`knn_probe`), of ridge the softmax of its scores over a
temperature that was chosen on validation images (`ridge_probe`).
"""

import statistics
from dataclasses import replace
from functools import partial

import pandas as pd
from tqdm import tqdm

from stages.classifiers.domains import Domain, read_domain
from stages.dataset.manifest import SUBSETS
from stages.probing.layer_probes import fit_layer, fits_of_heads
from stages.probing.predictions import predict_domain
from stages.probing.representation import Fitted, Representation
from stages.probing.results import ConvProbe, Findings, in_order
from stages.probing.task import Task
from stages.runtime.schema import Probe


def probe_representation(
    representation: Representation, manifest: pd.DataFrame, settings: Probe, seed: int
) -> Findings:
    """Probe one representation in both domains.

    Args:
        manifest: as by `stages.dataset.manifest.read_manifest`.
        settings: the group `probe` of the parameters, of which `representations` is not read.
        seed: of the study.

    Raises:
        StageError: for a domain that cannot be probed (see `read_domain`), features that are not finite, or
            a probe that diverges at every learning rate.
    """
    domains = [read_domain(manifest, name) for name in SUBSETS]
    curves, choices, fitted = [], [], []
    expected = representation.pretraining_seeds * (len(representation.layers) + fits_of_heads(settings))
    with tqdm(total=len(domains) * expected, desc="probes", unit="fit", disable=None) as bar:
        for index, domain in enumerate(domains):
            task = Task(domain, representation.headline, 0, settings, representation.limit, (seed, index), [], [], bar)
            fitted.append(_fit(task, representation))
            curves += in_order(task.curves, representation.layers)
            choices += in_order(task.choices, representation.layers)
    layers, predictions, few_shot, hits, conv = [], [], [], {}, {}
    for domain, probes in zip(domains, fitted, strict=True):
        layers += _layer_rows(domain, probes, representation)
        tables, rows, own_hits = predict_domain(domain, probes, representation, settings)
        predictions += tables
        few_shot += rows
        hits |= own_hits
        heads = probes[representation.headline, 0].heads
        conv[domain.name] = ConvProbe(heads.conv[0], heads.stats, domain.classes.tolist())
    tables = map(pd.DataFrame, (curves, choices, layers, few_shot))
    return Findings(pd.concat(predictions, ignore_index=True), *tables, hits, conv)


def best_layer(fitted: Fitted, layers: list[str]) -> str:
    """The layer with the highest mean validation accuracy of the ridge probe; of equals the first."""
    return max(layers, key=lambda layer: _validation_accuracy(fitted, layer))


def _validation_accuracy(fitted: Fitted, layer: str) -> float:
    return statistics.fmean(probes.ridge.accuracy for (name, _), probes in fitted.items() if name == layer)


def _fit(task: Task, representation: Representation) -> Fitted:
    """Everything that is fitted to one domain."""
    fitted = {}

    def fit(layer: str, pretraining_seed: int, heads: bool) -> None:
        place = layer, pretraining_seed
        own = replace(task, layer=layer, pretraining_seed=pretraining_seed)
        read = partial(representation.read, pretraining_seed, layer)
        fitted[place] = fit_layer(own, read, heads=heads, fitted=fitted.get(place))

    seeds = range(representation.pretraining_seeds)
    for layer in representation.layers:
        for pretraining_seed in seeds:
            fit(layer, pretraining_seed, heads=layer == representation.headline)
    best = best_layer(fitted, representation.layers)
    if best != representation.headline:
        task.bar.total += len(seeds) * fits_of_heads(task.settings)
        for pretraining_seed in seeds:
            fit(best, pretraining_seed, heads=True)
    return fitted


def _layer_rows(domain: Domain, fitted: Fitted, representation: Representation) -> list[dict]:
    best = best_layer(fitted, representation.layers)
    return [
        {
            "domain": domain.name,
            "layer": layer,
            "order": order,
            "features": fitted[layer, 0].features,
            "validation_accuracy": _validation_accuracy(fitted, layer),
            "chosen": int(layer == best),
        }
        for order, layer in enumerate(representation.layers)
    ]
