"""Two ways to do one thing, timed in turns."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from stages.compute.device import device


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        repeats: turns of each way.
        quick: sizes that only show that a row runs.
        gigabytes: of the Lab arrays that an experiment must not copy.
    """

    repeats: int = 3
    quick: bool = False
    gigabytes: float = 5.0

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass
class Row:
    """One line of the table.

    Attributes:
        name, reach: what is measured, and what it is to reach.
        unit: of `ours` and `theirs`.
        ours, theirs: this pipeline's and the straightforward way's, a turn each; the second may be empty.
        higher: whether more is better.
        limit: what `ours` is held against; None where nothing bounds it.
        share: of that limit that is reached.
        note: what a reader must know of how it was measured.
    """

    name: str
    reach: str
    unit: str
    ours: list[float]
    theirs: list[float] = field(default_factory=list)
    higher: bool = True
    limit: str | None = None
    share: float | None = None
    note: str = ""

    def ratios(self) -> list[float]:
        """How many times better than the straightforward way, turn by turn."""
        pairs = zip(self.ours, self.theirs, strict=False)
        return [ours / theirs if self.higher else theirs / ours for ours, theirs in pairs]

    def as_dict(self) -> dict:
        ratios = self.ratios()
        return {
            "name": self.name,
            "reach": self.reach,
            "unit": self.unit,
            "ours": [round(value, 4) for value in self.ours],
            "theirs": [round(value, 4) for value in self.theirs],
            "median": round(statistics.median(self.ours), 4),
            "ratio": [round(value, 2) for value in (statistics.median(ratios), min(ratios), max(ratios))]
            if ratios
            else None,
            "limit": self.limit,
            "share": None if self.share is None else round(self.share, 3),
            "note": self.note,
        }


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of a call, of what it left running on a GPU too."""
    used = device()
    if used.type == "cuda":
        torch.cuda.synchronize(used)
    start = time.perf_counter()
    work()
    if used.type == "cuda":
        torch.cuda.synchronize(used)
    return time.perf_counter() - start


def in_turns(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of each, one after the other, `repeats` times: what slows the machine slows both."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return [own for own, _ in pairs], [other for _, other in pairs]
