"""A representation's test predictions, read from its predictions.csv into arrays of seeds by images."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.comparison.layers import Layers
from stages.probing.tables import FINETUNE, FINETUNED_LAYER, HEADS, PREDICTIONS
from stages.runtime.errors import StageError
from stages.study.vocabulary import DOMAINS

PROBE = ["domain", "layer", "head"]
SEEDS = ["pretraining_seed", "seed"]


class Scores(NamedTuple):
    """Scores of one probe on one layer: (pretraining seeds, probe seeds, N), images in the order of their names."""

    hit: np.ndarray  # bool
    top_5: np.ndarray  # bool
    loss: np.ndarray  # float64, nats


@dataclass(frozen=True)
class Predictions:
    """One representation's predictions in one domain.

    Attributes:
        images: (N,) names, ascending.
        labels: (N,) class names.
        predicted: (N,) class names, by the conv probe on the primary endpoint's layer, or the fine-tuned encoder, with
            the first seeds.
        order: (N,) where each of `images` stands in the file; other arrays of the domain's test images have that order.
        scores: by layer and head.
    """

    images: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    order: np.ndarray
    scores: dict[tuple[str, str], Scores]


def read_predictions(path: str | Path, layers: dict[str, Layers], depth_heads: list[str]) -> dict[str, Predictions]:
    """Read a representation's predictions.csv.

    Args:
        path: of the file.
        layers: of each domain, as by `stages.comparison.layers.read_layers`.
        depth_heads: those that every layer has: `probe.depth_heads`.

    Returns:
        The predictions of each domain.

    Raises:
        StageError: when the file is missing, is no table of predictions, holds a loss that is not finite, does not hold
            just every head on the layers of the views and the depth heads on the others, lists an image twice,
            or leaves one out for some seed.
    """
    expected = {}
    for domain, domain_layers in layers.items():
        expected[domain] = {(layer, head) for layer in domain_layers.table["layer"] for head in depth_heads}
        expected[domain] |= {(layer, head) for layer in domain_layers.shown for head in HEADS}
    shown = {domain: (domain_layers.views["primary"], "conv") for domain, domain_layers in layers.items()}
    what = (
        f"all heads on the layers of every view in both domains, and {', '.join(depth_heads)} on every layer of "
        f"layers.csv"
    )
    return _read_domains(Path(path), expected, shown, what)


def read_finetuned_predictions(path: str | Path) -> dict[str, Predictions]:
    """Read the predictions.csv of a fine-tuned representation, as `read_predictions` does."""
    key = FINETUNED_LAYER, FINETUNE
    shown = dict.fromkeys(DOMAINS, key)
    return _read_domains(Path(path), {domain: {key} for domain in shown}, shown, "fine-tuning in both domains alone")


def _read_domains(path: Path, expected: dict[str, set], shown: dict[str, tuple], what: str) -> dict[str, Predictions]:
    """The predictions of each domain.

    Args:
        expected: the layers and heads that a domain must have, which `what` says in words.
        shown: the layer and head of which predictions are kept as class names.
    """
    table = _read(path)
    # One number a row, in the order of the keys: sorting and comparing it is many times faster than sorting text.
    codes = {name: table[name].cat.codes.to_numpy(np.int64) for name in [*PROBE, "image"]}
    codes |= {name: table[name].to_numpy() for name in SEEDS}
    keys = np.ravel_multi_index(
        [codes[name] for name in [*PROBE, *SEEDS, "image"]],
        [codes[name].max() + 1 for name in [*PROBE, *SEEDS, "image"]],
    )
    rows = np.argsort(keys, kind="stable")
    if (np.diff(keys[rows]) == 0).any():
        raise StageError(f"{path} predicts an image twice. Remove it and run `dvc repro`.")

    blocks: dict[str, dict] = {domain: {} for domain in expected}
    block = np.ravel_multi_index([codes[name] for name in PROBE], [codes[name].max() + 1 for name in PROBE])[rows]
    for part in np.split(rows, np.flatnonzero(np.diff(block)) + 1):
        domain, layer, head = (table[name].cat.categories[codes[name][part[0]]] for name in PROBE)
        blocks.setdefault(domain, {})[layer, head] = part
    _check_blocks(path, blocks, expected, what)
    return {domain: _domain(path, table, codes, blocks[domain], shown[domain]) for domain in expected}


def _domain(path: Path, table: pd.DataFrame, codes: dict, blocks: dict, key_shown: tuple) -> Predictions:
    # Class names as numbers that labels and predictions share.
    classes = table["label"].cat.categories.union(table["predicted"].cat.categories)
    number = {n: classes.get_indexer(table[n].cat.categories)[table[n].cat.codes] for n in ("label", "predicted")}
    first = next(iter(blocks.values()))
    images = np.unique(codes["image"][first])
    labels = number["label"][first[: len(images)]]
    scores = {}
    for key, part in blocks.items():
        seeds = [codes[name][part].max() + 1 for name in SEEDS]
        shape = (*seeds, len(images))
        expected = np.arange(seeds[0])[:, None, None], np.arange(seeds[1])[:, None], images, labels
        written = codes["pretraining_seed"], codes["seed"], codes["image"], number["label"]
        if len(part) != np.prod(shape) or any(
            (column[part].reshape(shape) != value).any() for column, value in zip(written, expected, strict=True)
        ):
            raise StageError(
                f"{path}: {', '.join(key)} does not predict the same images with the same labels for each of its seeds "
                f"as {', '.join(next(iter(blocks)))}. Run `dvc repro`."
            )
        parts = {name: table[name].to_numpy()[part].reshape(shape) for name in ("top5", "loss")}
        hit = number["predicted"][part].reshape(shape) == labels
        scores[key] = Scores(hit, parts["top5"] == 1, parts["loss"])
    if len(images) < 2:
        raise StageError(f"{path} holds one test image of a domain; intervals need two. Change split.*_fraction.")
    order = np.argsort(pd.unique(codes["image"][np.sort(first)]), kind="stable")
    names = table["image"].cat.categories.to_numpy(object)[images]
    shown = number["predicted"][blocks[key_shown][: len(images)]]
    return Predictions(names, *(classes.to_numpy(object)[numbers] for numbers in (labels, shown)), order, scores)


def _read(path: Path) -> pd.DataFrame:
    table = PREDICTIONS.read(path, categories=True)
    if table.empty:
        raise StageError(f"{path} must have the columns {','.join(PREDICTIONS.names)} and rows; got no rows")
    if not table[["pretraining_seed", "seed"]].isin(range(100)).all(axis=None) or not table["top5"].isin((0, 1)).all():
        raise StageError(f"{path}: seeds must be numbers from 0 to 99, and top5 be 0 or 1. Run `dvc repro`.")
    return table


def _check_blocks(path: Path, blocks: dict, expected: dict[str, set], what: str) -> None:
    written = {(domain, *key) for domain, keys in blocks.items() for key in keys}
    wanted = {(domain, *key) for domain, keys in expected.items() for key in keys}
    if written != wanted:
        names = {
            side: "; ".join(", ".join(key) for key in sorted(keys)) or "nothing"
            for side, keys in (("missing", wanted - written), ("superfluous", written - wanted))
        }
        raise StageError(
            f"{path} must hold {what}; missing: {names['missing']}; superfluous: {names['superfluous']}. "
            f"Run `dvc repro`."
        )
