"""The classes of the built-in sample.

A dish is a form (the outlines of its pieces) and a preparation (a texture with its colours). Each of the six forms
occurs with two preparations and each of the six preparations with two forms: neither identifies a class by itself, and
a held-out class shares both with classes that were seen.

The texture determines the colours up to a choice among colourways. A colouriser can infer the former from lightness,
but not the latter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stages.source.textures import TURN, bars, berries, lattice, seeds, swirl, veins

# A piece: its outline and, optionally, its hole; polygons (n, 2) in units of the dish's radius.
Piece = list[np.ndarray]


@dataclass(frozen=True)
class Preparation:
    """A texture, (u, v, rng) -> weight of the mark 0..1, and its colourways, sRGB (base, mark)."""

    texture: Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
    colourways: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Dish:
    """A class of the sample; `name` is its directory, like Food-101's `apple_pie`."""

    name: str
    form: Callable[[np.random.Generator], list[Piece]]
    preparation: Preparation


def _disc(rng) -> list[Piece]:
    return [[_blob(rng, 0.98, 0.03)]]


def _wedges(rng) -> list[Piece]:
    count = rng.integers(3, 5)
    spread = TURN / count
    pieces = []
    for i in range(count):
        arc = np.linspace(-0.42, 0.42, 12) * min(spread, 1.5) + i * spread + rng.uniform(-0.08, 0.08)
        middle = np.array([np.cos(i * spread), np.sin(i * spread)]) * rng.uniform(0.05, 0.2)
        pieces.append([np.vstack([np.zeros((1, 2)), 0.95 * _circle(arc)]) + middle])
    return pieces


def _strips(rng) -> list[Piece]:
    count = rng.integers(3, 5)
    along, phase = np.linspace(-1, 1, 24), rng.uniform(0, TURN)
    pieces = []
    for offset in (np.arange(count) - (count - 1) / 2) * 1.5 / count:
        reach = np.sqrt(1 - min(offset**2, 0.75)) * rng.uniform(0.9, 1.05)
        wave = offset + 0.06 * np.sin(4 * along + phase) + rng.uniform(-0.03, 0.03)
        half = 0.62 / count
        edges = [np.stack([along * reach, wave + side * half], axis=1) for side in (-1, 1)]
        pieces.append([np.vstack([edges[0], edges[1][::-1]])])
    return pieces


def _rings(rng) -> list[Piece]:
    count, size = ((3, 0.46), (4, 0.39))[rng.integers(2)]
    return [[_blob(rng, size, 0.02) + place, _blob(rng, size / 3, 0.01) + place] for place in _around(rng, count, 0.56)]


def _cubes(rng) -> list[Piece]:
    pieces = []
    for place in [*_around(rng, 5, 0.68), np.zeros(2)]:
        corner = TURN / 8 * (1 + 2 * np.arange(4)) + rng.uniform(0, TURN / 4)
        pieces.append([_circle(corner) * rng.uniform(0.33, 0.39) + place])
    return pieces


def _leaves(rng) -> list[Piece]:
    count = rng.integers(5, 7)
    along = np.linspace(0, 1, 12)
    half = 0.27 * np.sin(np.pi * along**0.85)
    leaf = np.vstack([np.stack([along, half], 1), np.stack([along, -half], 1)[::-1]])
    pieces = []
    for angle in TURN * np.arange(count) / count + rng.uniform(-0.15, 0.15, count):
        c, s = np.cos(angle), np.sin(angle)
        pieces.append([leaf @ np.array([[c, s], [-s, c]]) * rng.uniform(0.88, 1.02)])
    return pieces


def _around(rng, count, distance):
    """`count` points on a circle of radius `distance`, evenly spaced with jitter, (count, 2)."""
    angles = TURN * np.arange(count) / count + rng.uniform(-0.12, 0.12, count)
    return _circle(angles) * distance + rng.uniform(-0.04, 0.04, (count, 2))


def _blob(rng, radius, wobble):
    angles = np.linspace(0, TURN, 40, endpoint=False)
    lobes = np.sin(5 * angles + rng.uniform(0, TURN)) + np.sin(3 * angles + rng.uniform(0, TURN))
    return _circle(angles) * (radius + wobble * lobes / 2)[:, None]


def _circle(angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


GRILLED = Preparation(bars, (("#ee9a62", "#6b2c17"),))
LATTICED = Preparation(lattice, (("#efc45f", "#a9681b"),))
SWIRLED = Preparation(swirl, (("#c9507f", "#f6d9e4"), ("#7d54b4", "#e0d4f2")))
BERRIED = Preparation(berries, (("#f3e2b8", "#a8162f"), ("#f3e2b8", "#3c4394")))
SEEDED = Preparation(seeds, (("#6b3f22", "#f2deb0"),))
VEINED = Preparation(veins, (("#3f7f2d", "#b4d674"), ("#8a2347", "#e9b3c4")))

DISHES = (
    Dish("berry_cheesecake", _wedges, BERRIED),
    Dish("berry_tart", _disc, BERRIED),
    Dish("bitter_leaf_salad", _leaves, VEINED),
    Dish("cabbage_ribbons", _strips, VEINED),
    Dish("glazed_rings", _rings, SWIRLED),
    Dish("grilled_fillets", _strips, GRILLED),
    Dish("grilled_melon", _wedges, GRILLED),
    Dish("honey_waffle", _disc, LATTICED),
    Dish("lattice_crackers", _cubes, LATTICED),
    Dish("marbled_fudge", _cubes, SWIRLED),
    Dish("seed_dumplings", _leaves, SEEDED),
    Dish("seeded_bagels", _rings, SEEDED),
)
