"""The labelled images of one domain, with labels numbered within it, and random draws of few of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.dataset.manifest import VIEW_COUNTS, domain_classes, in_task, subset_rows
from stages.runtime.errors import StageError


@dataclass(frozen=True)
class LabelledImages:
    """Images of one subset and domain; all three arrays run in step.

    Attributes:
        positions: rows of the subset's arrays, ascending, (N,) int64.
        names: "class/id", (N,).
        labels: 0..K-1 in the order of the domain's sorted class names, (N,) int64.
    """

    positions: np.ndarray
    names: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Domain:
    """A task's class names, sorted, and its `probe`, `validation` and `test` images."""

    name: str
    classes: np.ndarray
    images: dict[str, LabelledImages]


def read_domain(manifest: pd.DataFrame, name: str) -> Domain:
    """The domain `name` (`in`, `out`) of a manifest, or its task `matched`.

    Raises:
        StageError: for fewer than 2 classes, a class without probe images, no validation or test images.
    """
    classes = np.array(domain_classes(manifest, name), dtype=object)
    if len(classes) < 2:
        raise StageError(
            f"domain '{name}' has {len(classes)} class(es); a probe needs 2 or more. Change split.held_out_classes."
        )
    images = {}
    for subset in VIEW_COUNTS:
        rows = subset_rows(manifest, subset)
        positions = np.flatnonzero(in_task(rows, name))
        names, labels = (rows[column].to_numpy(dtype=object)[positions] for column in ("image", "label"))
        images[subset] = LabelledImages(positions, names, np.searchsorted(classes, labels).astype(np.int64))
        if not len(positions):
            raise StageError(f"domain '{name}' has no {subset} images. Change split.*_fraction.")
    if len(unlabelled := np.setdiff1d(np.arange(len(classes)), images["probe"].labels)):
        raise StageError(
            f"domain '{name}' has classes without probe images: {', '.join(classes[unlabelled])}. "
            f"Raise split.probe_fraction."
        )
    return Domain(name, classes, images)


def available_shots(labels: np.ndarray, classes: int, shots: list[int], name: str) -> list[int]:
    """The numbers of labels a class that every class has, ascending; the others are printed.

    Args:
        labels: (N,) int64 in 0..classes-1.
        shots: labels a class, in any order.
        name: of `shots`, for the printed line.
    """
    fewest = int(np.bincount(labels, minlength=classes).min())
    if left_out := [number for number in sorted(shots) if number > fewest]:
        print(f"{name}: {left_out} left out, as the smallest class has {fewest} labels")
    return [number for number in sorted(shots) if number <= fewest]


def draw_images(labels: np.ndarray, shots: int, seed: tuple[int, ...]) -> np.ndarray:
    """Positions of `shots` images of each class, ascending, int64; `seed` and `labels` decide which.

    Args:
        labels: (N,) int64; no class has fewer than `shots`.
    """
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(np.flatnonzero(labels == label), shots, replace=False) for label in np.unique(labels)]
    return np.sort(np.concatenate(drawn))
