"""Where photographs are to be written: rows of arrays, by "class/id"."""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np


class Places:
    """The row of an array for each of many photographs, in about 50 bytes each; a dict of tuples would take 300.

    Args:
        subsets: arrays (N, ...), each with the "class/id" of its N rows; no image twice.

    >>> array = np.zeros((2, 3))
    >>> places = Places([(array, ["pie/1", "soup/2"])])
    >>> place = places.take("soup/2")
    >>> place[0] is array, place[1], places.take("soup/2"), places.left()
    (True, 1, None, ['pie/1'])
    """

    def __init__(self, subsets: Iterable[tuple[np.ndarray, Iterable[str]]]):
        self._arrays, names, numbers, rows = [], [np.empty(0, "S1")], [np.empty(0, np.uint8)], [np.empty(0, np.int64)]
        for number, (array, images) in enumerate(subsets):
            self._arrays.append(array)
            names.append(np.array([_key(image) for image in images], dtype=bytes))
            numbers.append(np.full(len(names[-1]), number, dtype=np.uint8))
            rows.append(np.arange(len(names[-1]), dtype=np.int64))
        self._names = np.concatenate(names)
        order = np.argsort(self._names, kind="stable")
        self._names = self._names[order]
        self._numbers, self._rows = (np.concatenate(parts)[order] for parts in (numbers, rows))
        self._taken = np.zeros(len(order), dtype=bool)

    def __len__(self) -> int:
        return len(self._names)

    def take(self, image: str) -> tuple[np.ndarray, int] | None:
        """The array and the row of an image the first time that it is asked for; None afterwards, and of other ones."""
        key = _key(image)
        # Not NumPy's searchsorted, which copies all names where the key is longer than each of them.
        place = bisect_left(self._names, key)
        if place == len(self) or self._names[place] != key or self._taken[place]:
            return None
        self._taken[place] = True
        return self._arrays[self._numbers[place]], int(self._rows[place])

    def left(self) -> list[str]:
        """The images that were not taken, sorted."""
        return [name.decode("utf-8", "surrogatepass") for name in self._names[~self._taken]]


def _key(image: str) -> bytes:
    return image.encode("utf-8", "surrogatepass")  # the order of its bytes is that of its characters
