"""A representation's test predictions, read from its predictions.csv into arrays of seeds by images."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.comparison.layers import Layers
from stages.runtime.errors import StageError

HEADS = ("conv", "linear", "knn", "ridge")
DEPTH_HEAD = "ridge"  # the probe that every layer has
TEXT = ["domain", "layer", "head", "image", "label", "predicted"]
COLUMNS = [*TEXT[:3], "pretraining_seed", "seed", *TEXT[3:], "top5", "loss"]


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
        predicted: (N,) class names, by the conv probe on the headline layer with the first seeds.
        order: (N,) where each of `images` stands in the file; other arrays of the domain's test images have that order.
        scores: by layer and head.
    """

    images: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    order: np.ndarray
    scores: dict[tuple[str, str], Scores]


def read_predictions(path: str | Path, layers: dict[str, Layers]) -> dict[str, Predictions]:
    """Read a representation's predictions.csv.

    Args:
        path: of the file.
        layers: of each domain, as by `stages.comparison.layers.read_layers`.

    Returns:
        The predictions of each domain.

    Raises:
        StageError: when the file is missing, is no table of predictions, holds a loss that is not finite, does not hold
            just the four heads on the headline and the best layer and ridge on the others, lists an image twice,
            or leaves one out for some seed.
    """
    path = Path(path)
    table = _read(path)
    # One number a row, in the order of the keys: sorting and comparing it is many times faster than sorting text.
    codes = {name: table[name].cat.codes.to_numpy(np.int64) for name in TEXT[:4]}
    codes |= {name: table[name].to_numpy() for name in ("pretraining_seed", "seed")}
    keys = np.ravel_multi_index(
        [codes[name] for name in [*TEXT[:3], "pretraining_seed", "seed", "image"]],
        [codes[name].max() + 1 for name in [*TEXT[:3], "pretraining_seed", "seed", "image"]],
    )
    rows = np.argsort(keys, kind="stable")
    if (np.diff(keys[rows]) == 0).any():
        raise StageError(f"{path} predicts an image twice. Remove it and run `dvc repro`.")

    blocks: dict[str, dict] = {domain: {} for domain in layers}
    block = np.ravel_multi_index([codes[n] for n in TEXT[:3]], [codes[n].max() + 1 for n in TEXT[:3]])[rows]
    for part in np.split(rows, np.flatnonzero(np.diff(block)) + 1):
        domain, layer, head = (table[name].cat.categories[codes[name][part[0]]] for name in TEXT[:3])
        blocks.setdefault(domain, {})[layer, head] = part
    _check_blocks(path, blocks, layers)
    return {domain: _domain(path, table, codes, blocks[domain], own.headline) for domain, own in layers.items()}


def _domain(path: Path, table: pd.DataFrame, codes: dict, blocks: dict, headline: str) -> Predictions:
    # Class names as numbers that labels and predictions share.
    classes = table["label"].cat.categories.union(table["predicted"].cat.categories)
    number = {n: classes.get_indexer(table[n].cat.categories)[table[n].cat.codes] for n in ("label", "predicted")}
    first = next(iter(blocks.values()))
    images = np.unique(codes["image"][first])
    labels = number["label"][first[: len(images)]]
    scores = {}
    for key, part in blocks.items():
        seeds = [codes[name][part].max() + 1 for name in ("pretraining_seed", "seed")]
        shape = (*seeds, len(images))
        expected = np.arange(seeds[0])[:, None, None], np.arange(seeds[1])[:, None], images, labels
        found = codes["pretraining_seed"], codes["seed"], codes["image"], number["label"]
        if len(part) != np.prod(shape) or any(
            (own[part].reshape(shape) != same).any() for own, same in zip(found, expected, strict=True)
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
    shown = number["predicted"][blocks[headline, "conv"][: len(images)]]
    return Predictions(names, *(classes.to_numpy(object)[own] for own in (labels, shown)), order, scores)


def _read(path: Path) -> pd.DataFrame:
    numbers = {"pretraining_seed": np.int64, "seed": np.int64, "top5": np.int64, "loss": np.float64}
    try:
        # A class may be called `nan` or `null`: only numbers may be missing, and they may not.
        table = pd.read_csv(
            path, dtype=dict.fromkeys(TEXT, "category") | numbers, keep_default_na=False, engine="c", low_memory=False
        )
    except FileNotFoundError:
        raise StageError(
            f"{path} is missing, but probe.representations lists '{path.parent.name}'. `dvc repro` makes it, "
            f"`dvc checkout` brings it back."
        ) from None
    except (ValueError, pd.errors.ParserError) as error:
        raise StageError(f"{path} is not a table of predictions: {str(error).strip()}") from None
    if list(table.columns) != COLUMNS or table.empty:
        raise StageError(f"{path} must have the columns {','.join(COLUMNS)} and rows; got {','.join(table)}")
    if not np.isfinite(table["loss"]).all():
        raise StageError(f"{path} holds losses that are not finite: a probe diverged. Lower probe.learning_rates.")
    if not table[["pretraining_seed", "seed"]].isin(range(100)).all(axis=None) or not table["top5"].isin((0, 1)).all():
        raise StageError(f"{path}: seeds must be numbers from 0 to 99, and top5 be 0 or 1. Run `dvc repro`.")
    return table


def _check_blocks(path: Path, blocks: dict, layers: dict[str, Layers]) -> None:
    found = {(domain, *key) for domain, own in blocks.items() for key in own}
    expected = {(domain, layer, DEPTH_HEAD) for domain, own in layers.items() for layer in own.table["layer"]}
    expected |= {(domain, layer, head) for domain, own in layers.items() for layer in own.shown for head in HEADS}
    if found != expected:
        names = {
            what: "; ".join(", ".join(key) for key in sorted(keys)) or "nothing"
            for what, keys in (("missing", expected - found), ("superfluous", found - expected))
        }
        raise StageError(
            f"{path} must hold all heads on both domains' headline and best layers, and ridge on every layer of "
            f"layers.csv; missing: {names['missing']}; superfluous: {names['superfluous']}. Run `dvc repro`."
        )
