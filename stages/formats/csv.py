"""CSV tables whose columns are declared once, for the stage that writes a table and the stages that read it.

Not pandera: it would check the same, at a second of import for each stage that reads a table, and leaves reading and
writing (a class that is called `nan`, numbers of 6 digits, equal bytes) to code like this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.runtime.errors import StageError

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Table:
    """The columns of a CSV file.

    Attributes:
        what: for messages, e.g. `a table of predictions`.
        columns: by name, in their order: `str`; `int`; `float`, a finite number; or None, a number that may be missing
            (an empty cell, NaN when it is read).
        float_format: of numbers that are no integers, as Python's `%`; None: as many digits as it takes.
        advice: by column, what to do where a number is not finite; else to run `dvc repro`.
    """

    what: str
    columns: dict[str, type | None]
    float_format: str | None = None
    advice: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The columns' names, in their order."""
        return list(self.columns)

    @property
    def text(self) -> list[str]:
        """The columns that hold text."""
        return [name for name, kind in self.columns.items() if kind is str]

    def frame(self, rows: Iterable) -> DataFrame:
        """Rows, as tuples in the columns' order or as dicts, as a table with these columns."""
        import pandas as pd

        return pd.DataFrame(rows, columns=self.names)

    def write(self, path: str | Path, table: DataFrame) -> None:
        """Write a table: the same values, the same bytes.

        Raises:
            ValueError: when the table has other columns, or in another order.
        """
        if list(table.columns) != self.names:
            raise ValueError(f"{path} must have the columns {','.join(self.names)}; got {','.join(table.columns)}")
        table.to_csv(path, index=False, float_format=self.float_format, lineterminator="\n")

    def read(self, path: str | Path, *, categories: bool = False) -> DataFrame:
        """Read and check a table.

        Args:
            path: of the file.
            categories: text as pandas' categories: many times faster where few values repeat in many rows.

        Raises:
            StageError: when the file is missing, is no CSV file, has other columns, or holds something else than its
                columns may hold; with the first such line.
        """
        import pandas as pd

        try:
            # A class may be called `nan` or `null`: text is never missing.
            kinds = dict.fromkeys(self.text, "category" if categories else str)
            kinds |= {name: np.int64 for name, kind in self.columns.items() if kind is int}
            empty = {name: [""] for name, kind in self.columns.items() if kind in (float, None)}
            # In one piece: in pieces, the categories of each would have to be merged, five times slower.
            table = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=empty, low_memory=False)
        except FileNotFoundError:
            raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
        except (ValueError, pd.errors.ParserError) as error:
            raise StageError(f"{path} is not {self.what}: {str(error).strip()}. Run `dvc repro`.") from None
        if list(table.columns) != self.names:
            raise StageError(
                f"{path} is not {self.what}: it must have the columns {','.join(self.names)}; got "
                f"{','.join(map(str, table))}. Run `dvc repro`."
            )
        for name, kind in self.columns.items():
            if kind not in (float, None):
                continue
            numbers = pd.to_numeric(table[name], errors="coerce").astype(np.float64)
            accepted = np.isfinite(numbers) if kind is float else np.isfinite(numbers) | table[name].isna()
            if not accepted.all():
                row = int((~accepted).to_numpy().argmax())
                wanted = "a finite number" if kind is float else "a finite number or empty"
                raise StageError(
                    f"{path}, line {row + 2}: {name} must be {wanted}; got '{table[name].iloc[row]}'. "
                    f"{self.advice.get(name, 'Run `dvc repro`.')}"
                )
            table[name] = numbers
        return table
