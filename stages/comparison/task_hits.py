"""The right answers of one head on one layer in the tasks of the crossover, read from data/probes/<representation>/."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.comparison.representations import ProbedRepresentation
from stages.probing.tables import PREDICTIONS
from stages.runtime.errors import StageError

SEEDS = ["pretraining_seed", "seed"]


@dataclass(frozen=True)
class TaskHits:
    """Right answers in one task.

    Attributes:
        images: (N,) names, ascending.
        labels: (N,) class names.
        hits: (pretraining seeds, probe seeds, N) bool.
    """

    images: np.ndarray
    labels: np.ndarray
    hits: np.ndarray


def read_task_hits(
    folder: str | Path, names: list[str], representations: list[ProbedRepresentation], head: str
) -> dict[str, dict[str, TaskHits]]:
    """Read <folder>/<name>/crossover/predictions.csv of each name.

    Args:
        folder: of all representations.
        names: as in probe.representations.
        representations: those of them that were probed in full; their answers in domain `out` are taken from these.
        head: of the primary endpoint.

    Returns:
        By task, `out` and `matched`, and representation; without the tasks that were not probed.

    Raises:
        StageError: when a file is missing, is no table of predictions, leaves out an image for some seed, or is of
            other images, labels or seeds than the others.
    """
    tasks: dict[str, dict[str, TaskHits]] = {"out": {}, "matched": {}}
    for representation in representations:
        test = representation.predictions["out"]
        hits = test.scores[representation.views("out")["primary"], head].hit
        tasks["out"][representation.name] = TaskHits(test.images, test.labels, hits)
    for name in names:
        path = Path(folder) / name / "crossover" / "predictions.csv"
        table = PREDICTIONS.read(path)
        for task, rows in table.groupby("domain"):
            tasks[task][name] = _hits(path, task, rows)
            _check_same(path, task, tasks[task][name], next(iter(tasks[task].values())))
    return {task: by_name for task, by_name in tasks.items() if by_name}


def _hits(path: Path, task: str, rows: pd.DataFrame) -> TaskHits:
    rows = rows.sort_values([*SEEDS, "image"])
    shape = [rows[name].nunique() for name in (*SEEDS, "image")]
    expected = pd.MultiIndex.from_product([range(shape[0]), range(shape[1]), sorted(set(rows["image"]))])
    if list(rows[[*SEEDS, "image"]].itertuples(index=False, name=None)) != list(expected):
        raise StageError(f"{path}: task '{task}' must have each image once for each of its seeds. Run `dvc repro`.")
    first = rows.iloc[: shape[2]]
    hits = (rows["predicted"] == rows["label"]).to_numpy().reshape(shape)
    return TaskHits(first["image"].to_numpy(object), first["label"].to_numpy(object), hits)


def _check_same(path: Path, task: str, task_hits: TaskHits, first: TaskHits) -> None:
    same = np.array_equal(task_hits.images, first.images) and np.array_equal(task_hits.labels, first.labels)
    if not same or task_hits.hits.shape[1] != first.hits.shape[1]:
        raise StageError(
            f"{path}: task '{task}' is of other images, labels or probe seeds than that of other representations: they "
            f"cannot be compared. `dvc repro` makes them of the same split."
        )
