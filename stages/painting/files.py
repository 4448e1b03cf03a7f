"""data/quality/<painter>/: scores.csv, a row a test image, and auc.csv, the curves of raw accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stages.dataset.manifest import DOMAIN_NAMES
from stages.painting.tables import CURVES, SCORES
from stages.runtime.errors import StageError

if TYPE_CHECKING:
    from pandas import DataFrame

TABLES = {"scores.csv": SCORES, "auc.csv": CURVES}


class QualityTables(NamedTuple):
    """Both tables of a painter.

    Attributes:
        scores: with the columns of `SCORES`, see `stages.painting.quality.Quality`, a row a test image.
        curves: with the columns of `CURVES`, thresholds 0..150 of each domain; shares of all its test images' pixels.
    """

    scores: DataFrame
    curves: DataFrame


def write_quality(folder: str | Path, tables: QualityTables) -> None:
    """Write scores.csv and auc.csv into `folder`, which is made."""
    Path(folder).mkdir(exist_ok=True)
    for (name, schema), table in zip(TABLES.items(), tables, strict=True):
        schema.write(Path(folder, name), table)


def read_quality(folder: str | Path) -> QualityTables:
    """Read and check a painter's tables.

    Raises:
        StageError: naming the file that is missing, has other columns, a number that is not finite or no row of a
            domain.
    """
    tables = []
    for name, schema in TABLES.items():
        tables.append(schema.read(Path(folder, name)))
        if missing := DOMAIN_NAMES.keys() - set(tables[-1]["domain"]):
            raise StageError(f"{Path(folder, name)} has no rows of domain '{min(missing)}'. Run `dvc repro`.")
    return QualityTables(*tables)
