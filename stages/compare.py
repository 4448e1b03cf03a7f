"""Stage: which representation is best to classify from, in and out of domain. `python -m stages.compare`

Reads data/probes/<representation>/ for each of probe.representations, data/probes/finetune/<representation>/ for each
of finetune.representations, and data/split/manifest.csv; writes to metrics/
- comparison.json: the primary endpoint and other scalars; comparison.csv: every accuracy;
- lifts.csv: every difference, tested;
- ratios.csv: accuracies as multiples of what pixels with colour reach, with and without chance;
- label_efficiency.csv and depth.csv: accuracy by labels a class, and by layer;
- few_shot_lifts.csv: differences with few labels, tested;
- labels_saved.csv: how many labels pretraining saves over training from scratch;
- seen_classes.csv: classes that the encoder saw against held-out ones, and what it is worth to have seen them;
- accuracy.csv: the accuracies that charts show;
and to data/comparison/ what the report alone shows: takeaways.csv (the answer in three lines), curves.csv (learning
curves), confusion/<domain>/<representation>.csv and confused.csv (conv probe, first seeds).
"""

import textwrap

import numpy as np

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.confusion import confusion, most_confused
from stages.comparison.curves import chosen_curves
from stages.comparison.depth import depth_table
from stages.comparison.estimates import bootstrap_estimates
from stages.comparison.few_shot_lifts import few_shot_lifts
from stages.comparison.headline import headline
from stages.comparison.label_efficiency import KEYS, label_efficiency
from stages.comparison.labels_saved import labels_saved_table
from stages.comparison.lifts import lift_table
from stages.comparison.primary import declared_endpoint
from stages.comparison.ratios import ratio_table
from stages.comparison.representations import ProbedRepresentation, read_representations
from stages.comparison.seen_classes import seen_class_scalars, seen_class_table
from stages.comparison.summary import WIDTH, comparison_text
from stages.comparison.tables import (
    ACCURACY,
    COMPARISON,
    CONFUSED,
    CONFUSION,
    CURVES,
    DEPTH,
    FEW_SHOT_LIFTS,
    LABEL_EFFICIENCY,
    LABELS_SAVED,
    LIFTS,
    RATIOS,
    SEEN_CLASSES,
    TAKEAWAYS,
)
from stages.comparison.takeaways import Pretraining, takeaways
from stages.comparison.task_hits import read_task_hits
from stages.dataset.manifest import SWAPPED, read_manifest, subset_rows
from stages.formats.json import write_json
from stages.probing.tables import FINETUNE
from stages.runtime.entry_point import run
from stages.runtime.files import whole_file, whole_folder
from stages.runtime.params import load_params
from stages.study.vocabulary import DOMAINS


def main() -> None:
    params = load_params()
    names, endpoint = params.probe.representations, declared_endpoint(params)
    layer, depth_heads = params.compare.primary.layer, params.probe.depth_heads
    encoders = [name for name in names.latents if name != SWAPPED]  # which is compared in seen_classes.csv alone
    finetuned = [*params.finetune.representations.pixels, *params.finetune.representations.latents]
    representations = read_representations("data/probes", names.pixels, encoders, layer, depth_heads, finetuned)
    curves = chosen_curves("data/probes", representations)
    estimates = {
        domain: bootstrap_estimates(
            all_hits(representations, domain),
            representations[0].predictions[domain].labels,
            resamples=params.compare.resamples,
            seed=[params.seed, number],
        )
        for number, domain in enumerate(DOMAINS)
    }
    classes = {domain: len(set(representations[0].predictions[domain].labels)) for domain in DOMAINS}
    chance = {domain: 1 / count for domain, count in classes.items()}
    cells = comparison_cells(representations, estimates, endpoint.subject)
    means = mean_rows(cells, representations)
    lifts = lift_table(representations, estimates, endpoint)
    ratios = ratio_table(representations, estimates, chance)
    seen_classes = seen_class_table(
        read_task_hits("data/probes", [*names.pixels, *names.latents], representations, endpoint.head),
        endpoint.subject,
        margin=params.compare.equivalence / 100,
        resamples=params.compare.resamples,
        seed=params.seed,
    )
    efficiency = label_efficiency(representations, estimates)
    labels_saved = labels_saved_table(representations, estimates)
    accuracy = means.rename(columns={"accuracy_low": "low", "accuracy_high": "high"})[ACCURACY.names]
    images = len(subset_rows(read_manifest(), "pretrain"))
    pretraining = Pretraining(params.train.epochs, images, params.pretext.seeds)
    lines = takeaways(lifts, accuracy, efficiency, seen_classes, params.compare.equivalence, pretraining)

    with whole_folder("data/comparison") as folder:
        for domain in DOMAINS:
            (folder / "confusion" / domain).mkdir(parents=True)
            for representation in representations:
                path = folder / "confusion" / domain / f"{representation.name}.csv"
                CONFUSION.write(path, confusion(representation.predictions[domain]))
        CONFUSED.write(folder / "confused.csv", most_confused(representations))
        CURVES.write(folder / "curves.csv", curves)
        TAKEAWAYS.write(folder / "takeaways.csv", TAKEAWAYS.frame(lines))
    tables = {
        "comparison": (COMPARISON, cells),
        "lifts": (LIFTS, lifts),
        "ratios": (RATIOS, ratios),
        "label_efficiency": (LABEL_EFFICIENCY, efficiency),
        "labels_saved": (LABELS_SAVED, labels_saved),
        "few_shot_lifts": (FEW_SHOT_LIFTS, few_shot_lifts(representations, estimates, lifts, params.seed)),
        "depth": (DEPTH, depth_table(representations, estimates, depth_heads)),
        "accuracy": (ACCURACY, accuracy),
        "seen_classes": (SEEN_CLASSES, seen_classes),
    }
    for name, (table, rows) in tables.items():
        with whole_file(f"metrics/{name}.csv") as part:
            table.write(part, rows)
    scalars = headline(means, lifts, ratios, labels_saved, chance, endpoint)
    if crossover := seen_class_scalars(seen_classes):
        scalars["seen_classes"] = crossover
    write_json("metrics/comparison.json", scalars)
    for line in lines:
        print(textwrap.fill(str(line), WIDTH, subsequent_indent="  "))
    print(comparison_text(means, lifts, labels_saved, classes, endpoint))


def all_hits(representations: list[ProbedRepresentation], domain: str) -> dict[tuple, np.ndarray]:
    """Right answers of every head, by representation, layer and head; with few labels, by their shots too."""
    hits = {}
    for representation in representations:
        for (layer, head), scores in representation.predictions[domain].scores.items():
            hits[representation.name, layer, head] = scores.hit
        for layer in representation.shown(domain, FINETUNE):
            hits[representation.name, layer, FINETUNE] = representation.scores(domain, layer, FINETUNE).hit
        for head, key in KEYS.items():
            for layer in representation.shown(domain, head):
                for few in representation.by_shots(domain, layer, head):
                    hits[representation.name, layer, key, few.shots] = few.hits
    return hits


if __name__ == "__main__":
    run(main)
