"""DVCLive's series of a training: the losses of every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dvclive import Live


@contextmanager
def open_series(folder: Path, writes: bool) -> Iterator[Live | None]:
    """DVCLive in `folder`; None where this process does not write."""
    if not writes:
        yield None
        return
    from dvclive import Live

    # By default DVCLive would rewrite dvc.yaml, and make an experiment of every run.
    with Live(dir=str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        yield live
    # Its summary is no series, and would be an error on the page of `dvc plots show`.
    (folder / "metrics.json").unlink()


def log_epoch(live: Live | None, epoch: int, record: dict[str, float]) -> None:
    """Append an epoch's values, each to the series of its name."""
    if live is None:
        return
    live.step = epoch + 1
    for name, value in record.items():
        live.log_metric(name, value)
