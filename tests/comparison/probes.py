"""data/probes/<representation>/ as the probes write it, made up."""

from pathlib import Path

import numpy as np
import pandas as pd

CLASSES = {"in": ["apple", "cake", "nan", "stew"], "out": ["bread", "tart"]}
LAYERS = {"encoder": ["down_0", "down_1", "mid", "latent"], "pixels": ["pixels"]}
TASKS = {"out": CLASSES["out"], "matched": ["apple", "cake"]}  # of the crossover
PRIMARY = "down_1"
HEADS = ["conv", "linear", "knn", "ridge"]
SHOTS = ["1", "5", "all"]
DRAWS = 2


def write_findings(
    folder: str | Path,
    name: str,
    accuracy: float = 0.5,
    *,
    kind: str = "encoder",
    best: str | None = "mid",
    images: int = 60,
    seeds: int = 2,
    pretraining_seeds: int = 1,
    rng: int = 0,
    layers: list[str] | None = None,
    depth_heads: tuple[str, ...] = ("ridge",),
    classes: dict[str, list[str]] = CLASSES,
    hits: dict[tuple, np.ndarray] | None = None,
) -> Path:
    """Write a representation's folder; every probe is right with probability `accuracy`.

    `hits` sets (pretraining seeds, probe seeds, images) of some domain, layer and head, or of `few_shot` and
    its shots, by hand.
    """
    rng, place, hits = np.random.default_rng(rng), Path(folder) / name, hits or {}
    (place / "few_shot").mkdir(parents=True)
    layers = layers or LAYERS[kind]
    fixed = ("pixels",) if kind == "pixels" else (PRIMARY, "latent")
    best = fixed[-1] if kind == "pixels" or best is None else best
    trained = 1 if kind == "pixels" else pretraining_seeds
    tables, few_shot, curves, choices, depths = [], [], [], [], []
    for domain, labels in classes.items():
        label = np.array(labels, object)[np.arange(images) % len(labels)]
        wrong = np.array(labels, object)[(np.arange(images) + 1) % len(labels)]
        image = np.array([f"{own}/{number:06}" for number, own in enumerate(label)], object)
        for layer in layers:
            for head in HEADS if layer in (*fixed, best) else depth_heads:
                shape = (trained, seeds if head == "conv" else 1, images)
                hit = rng.random(shape) < accuracy
                hit = np.asarray(hits.get((domain, layer, head), hit), bool).reshape(shape)
                for index in np.ndindex(shape[:2]):
                    right = hit[index]
                    columns = {"domain": domain, "layer": layer, "head": head}
                    columns |= {"pretraining_seed": index[0], "seed": index[1], "image": image, "label": label}
                    columns |= {"predicted": np.where(right, label, wrong), "top5": np.maximum(right, 0).astype(int)}
                    tables.append(pd.DataFrame(columns | {"loss": 1.5 - right}))
            depths.append((domain, layer, layers.index(layer), 900, 0.25, 0.3, int(layer == best)))
        for layer in dict.fromkeys((*fixed, best)):
            rows, right = [], []
            for seed in range(trained):
                run = (domain, layer, "conv", seed)
                choices += [(*run, "learning_rate", rate, 0.5, 1.0, int(rate == 0.01)) for rate in (0.01, 0.1)]
                curves += [(*run, 0, rate, epoch, 1.0, 1.0, rate + epoch) for rate in (0.01, 0.1) for epoch in (1, 2)]
                for shots in SHOTS:
                    draws = 1 if shots == "all" else DRAWS
                    drawn = rng.random((draws, images)) < accuracy
                    drawn = np.asarray(hits.get((domain, layer, "few_shot", shots), [drawn] * trained))[seed]
                    for draw in range(draws):
                        right.append(drawn[draw])
                        key = (domain, layer, seed, shots, 20 if shots == "all" else int(shots), draw)
                        rows.append((*key, 10.0, 0.5, f"{drawn[draw].mean():.6g}"))
            few_shot += rows
            np.save(place / "few_shot" / f"{domain}-{layer}.npy", np.array(right, np.uint8))
    run = ["domain", "layer", "head", "pretraining_seed"]
    scores = ["train_loss", "validation_loss", "validation_accuracy"]
    columns = {
        "curves": [*run, "seed", "learning_rate", "epoch", *scores],
        "choices": [*run, "setting", "value", "validation_accuracy", "validation_loss", "chosen"],
        "layers": ["domain", "layer", "order", "features", "validation_accuracy", "cv_accuracy", "chosen"],
        "few_shot": [
            *("domain", "layer", "pretraining_seed", "shots", "labels"),
            *("draw", "alpha", "validation_accuracy", "test_accuracy"),
        ],
    }
    for table, rows in (("curves", curves), ("choices", choices), ("layers", depths), ("few_shot", few_shot)):
        pd.DataFrame(rows, columns=columns[table]).to_csv(place / f"{table}.csv", index=False)
    pd.concat(tables).to_csv(place / "predictions.csv", index=False)
    write_crossover(folder, name, {"matched": rng.random((trained, seeds, images)) < accuracy}, layer=fixed[0])
    return place


def write_crossover(folder: str | Path, name: str, hits: dict[str, np.ndarray], *, layer: str = PRIMARY) -> None:
    """Write a representation's crossover/predictions.csv, of the conv probe; `hits` (P, D, N) by task."""
    tables = []
    for task, table in hits.items():
        numbers, labels = np.arange(table.shape[2]), np.array(TASKS[task], object)
        label, wrong = labels[numbers % len(labels)], labels[(numbers + 1) % len(labels)]
        image = np.array([f"{own}/{number:06}" for number, own in enumerate(label)], object)
        for index in np.ndindex(table.shape[:2]):
            right = np.asarray(table[index], bool)
            columns = {"domain": task, "layer": layer, "head": "conv", "pretraining_seed": index[0], "seed": index[1]}
            columns |= {"image": image, "label": label, "predicted": np.where(right, label, wrong)}
            tables.append(pd.DataFrame(columns | {"top5": right.astype(int), "loss": 1.5 - right}))
    (Path(folder) / name / "crossover").mkdir(parents=True)
    pd.concat(tables).to_csv(Path(folder) / name / "crossover" / "predictions.csv", index=False)


def write_finetuned(
    folder: str | Path,
    name: str,
    accuracy: float = 0.5,
    *,
    shots: dict[str, float] | None = None,
    images: int = 60,
    seeds: int = 2,
    pretraining_seeds: int = 1,
    rng: int = 0,
    hits: dict[tuple[str, str], np.ndarray] | None = None,
) -> Path:
    """Write finetune/<name> in a folder of findings, right with probability `accuracy`.

    `hits` sets (pretraining seeds, seeds or draws, images) of some domain and shots by hand.
    """
    rng, place, hits = np.random.default_rng(rng), Path(folder) / "finetune" / name, hits or {}
    (place / "few_shot").mkdir(parents=True)
    tables, rows = [], []
    for domain, labels in CLASSES.items():
        label, wrong = (np.array(labels, object)[(np.arange(images) + step) % len(labels)] for step in (0, 1))
        image = np.array([f"{own}/{number:06}" for number, own in enumerate(label)], object)
        right = []
        for pretraining_seed in range(pretraining_seeds):
            for few, count in (shots or {"5": 5.0, "all": 20.0}).items():
                for draw in range(seeds):
                    hit = rng.random(images) < accuracy
                    if (domain, few) in hits:
                        hit = np.asarray(hits[domain, few], bool)[pretraining_seed, draw]
                    right.append(hit)
                    key = (domain, "mid", pretraining_seed, few, count, draw)
                    rows.append((*key, 1e-3, 0.5, f"{hit.mean():.6g}"))
                    if few == "all":
                        columns = {"domain": domain, "layer": "mid", "head": "finetune"}
                        columns |= {"pretraining_seed": pretraining_seed, "seed": draw, "image": image, "label": label}
                        columns |= {"predicted": np.where(hit, label, wrong), "top5": hit.astype(int)}
                        tables.append(pd.DataFrame(columns | {"loss": 1.5 - hit}))
        np.save(place / "few_shot" / f"{domain}-mid.npy", np.array(right, np.uint8))
    pd.concat(tables).to_csv(place / "predictions.csv", index=False)
    columns = ["domain", "layer", "pretraining_seed", "shots", "labels", "draw", "learning_rate"]
    columns += ["validation_accuracy", "test_accuracy"]
    pd.DataFrame(rows, columns=columns).to_csv(place / "few_shot.csv", index=False)
    return place


def rewrite(path: Path, change) -> None:
    """Replace a table by what `change` makes of it."""
    table = pd.read_csv(path, keep_default_na=False, dtype={"shots": str} if path.stem == "few_shot" else None)
    change(table).to_csv(path, index=False)
