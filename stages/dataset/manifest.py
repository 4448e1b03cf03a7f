"""The manifest: one row an image, in data/split/manifest.csv.

    image    "class/id", as in the archive, without extension
    label    the class's directory name
    domain   in: the autoencoder sees the class; out: held out
    subset   pretrain (domain in), unused (domain out), validation, probe, test (both)
    matched  1: the class is one of the seen classes, as many as are held out, that form a separate probing task;
             0: it is not

Rows are sorted by image. Only the readers import pandas, so that `split`, which writes, starts without it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stages.runtime.errors import StageError
from stages.runtime.files import whole_file

if TYPE_CHECKING:
    from pandas import DataFrame

MANIFEST = "data/split/manifest.csv"
SUBSETS = {
    "in": ("pretrain", "validation", "probe", "test"),
    "out": ("unused", "validation", "probe", "test"),
}
# Probing tasks: the classes of a domain, or the matched ones of `in`.
TASKS = (*SUBSETS, "matched")
# The control that is trained on held-out classes in the place of the matched ones.
SWAPPED = "swapped"
# Names of the domains in metrics and in file names.
DOMAIN_NAMES = {"in": "in_domain", "out": "out_of_domain"}
# The labelled subsets that probes use, and how many views of each image they hold: the image and, to train on, its
# mirror image.
VIEW_COUNTS = {"probe": 2, "validation": 1, "test": 1}


class ManifestRow(NamedTuple):
    """A row of the manifest; the fields are its columns."""

    image: str
    label: str
    domain: str
    subset: str
    matched: str = "0"


def write_manifest(rows: Iterable[ManifestRow], path: str | Path = MANIFEST) -> None:
    """Write the rows, sorted by image. The bytes do not depend on their order."""
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ManifestRow._fields)
        writer.writerows(sorted(rows))


def read_manifest(path: str | Path = MANIFEST) -> DataFrame:
    """Read and check a manifest; every column is a string.

    Raises:
        StageError: when the file is missing or is not a manifest: it has other columns, an unknown domain, a subset
            that the domain does not have, a label that is not the image's class, a class in both domains, an image
            twice, or a class that is held out or only in part and `matched`. The message names the first such line.
    """
    import pandas as pd

    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro split` makes it.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise StageError(f"{path} is not a CSV file: {str(error).strip()}") from None
    if tuple(rows.columns) != ManifestRow._fields:
        raise StageError(f"{path} needs the columns {','.join(ManifestRow._fields)}; got {','.join(rows)}")
    # Column by column: Python objects for each row would take ten times the memory of the manifest.
    allowed = np.zeros(len(rows), dtype=bool)
    for domain, subsets in SUBSETS.items():
        allowed |= ((rows["domain"] == domain) & rows["subset"].isin(subsets)).to_numpy()
    _refuse(path, rows, ~allowed, "a subset that its domain does not have")
    classes = rows["image"].str.replace(r"/[\s\S]*", "", regex=True)
    _refuse(path, rows, classes != rows["label"], "a label that is not its class")
    _refuse(path, rows, rows["image"].duplicated(), "an image that is listed before")
    _refuse(path, rows, _divided(rows, "domain"), "a class that is in both domains")
    seen = (rows["domain"] == "in") & rows["matched"].isin(("0", "1"))
    _refuse(path, rows, ~seen & (rows["matched"] != "0"), "matched must be 0 or 1, and 0 of a class that is held out")
    _refuse(path, rows, _divided(rows, "matched"), "a class of which some images are matched and some are not")
    return rows


def subset_rows(manifest: DataFrame, subset: str) -> DataFrame:
    """The rows of a subset: row i describes the i-th image of data/lab/<subset>.npy."""
    return manifest[manifest["subset"] == subset].reset_index(drop=True)


def domain_labels(rows: DataFrame) -> np.ndarray:
    """Number the labels within each row's domain, int64 (N,).

    Labels are 0..K-1 in the order of the domain's class names, where K is the number of classes in `rows`. Every class
    of the domain must occur in `rows`, as it does in each of the domain's subsets.
    """
    labels = np.zeros(len(rows), np.int64)
    for domain in SUBSETS:
        inside = (rows["domain"] == domain).to_numpy()
        labels[inside] = np.unique(rows["label"][inside].to_numpy(str), return_inverse=True)[1]
    return labels


def in_task(rows: DataFrame, task: str) -> np.ndarray:
    """Which rows belong to one of `TASKS`, bool (N,)."""
    return (rows["matched"] == "1" if task == "matched" else rows["domain"] == task).to_numpy()


def crossover_tasks(manifest: DataFrame, representation: str) -> list[str]:
    """The tasks that a representation is probed in for the crossover alone, of `TASKS`.

    `matched`, where the manifest has it; of `swapped`, which is compared in nothing else, `out` as well.
    """
    tasks = ["out", "matched"] if representation == SWAPPED else ["matched"]
    return tasks if (manifest["matched"] == "1").any() else []


def domain_classes(manifest: DataFrame, task: str) -> list[str]:
    """The names of the classes of one of `TASKS`, sorted."""
    return sorted(set(manifest["label"][in_task(manifest, task)]))


def _divided(rows: DataFrame, column: str) -> np.ndarray:
    """Which rows are of a class that has more than one value in a column, bool (N,)."""
    pairs = rows[["label", column]].drop_duplicates()
    return rows["label"].isin(pairs["label"][pairs["label"].duplicated()]).to_numpy()


def _refuse(path, rows: DataFrame, wrong, problem: str) -> None:
    wrong = np.asarray(wrong, dtype=bool)
    if wrong.any():
        line = int(wrong.argmax())
        raise StageError(f"{path}, line {line + 2}: {problem}: {','.join(rows.iloc[line])}")
