"""The textures of the drawn dishes: how strongly a mark (bar, berry, seed, vein) covers the base colour.

Each function takes coordinates u and v, float64 arrays of the same shape in units of the dish's radius, and a random
generator, and returns weights 0..1 of that shape. Features measure at least 0.15 of the radius, about 5 of 96 pixels,
so that they survive a resize to 32 pixels.
"""

import itertools

import numpy as np

TURN = 2 * np.pi


def bars(u, v, rng):
    return smooth_step(0.1, 0.7, np.cos(TURN * (u + 0.03 * np.sin(5 * v)) / 0.36))


def lattice(u, v, rng):
    ridges = np.maximum(np.cos(TURN * u / 0.36), np.cos(TURN * v / 0.36))
    return smooth_step(0.75, 0.1, ridges)


def swirl(u, v, rng):
    phase = rng.uniform(0, TURN)
    return smooth_step(-0.4, 0.5, np.cos(TURN * (u + 0.13 * np.sin(TURN * v / 0.65 + phase)) / 0.42))


def berries(u, v, rng):
    nearest, _ = _cells(u / 0.36, v / 0.36, rng)
    return smooth_step(0.44, 0.34, nearest) * (0.75 + 0.25 * smooth_step(0.0, 0.25, nearest))


def seeds(u, v, rng):
    nearest, _ = _cells(u / 0.26, v / 0.34, rng)
    return smooth_step(0.36, 0.22, nearest)


def veins(u, v, rng):
    nearest, second = _cells(u / 0.44, v / 0.44, rng)
    return smooth_step(0.24, 0.08, second - nearest)


def smooth_step(start, end, value):
    """Smoothstep (cubic Hermite): 0 at `start`, 1 at `end`; `end` may be the smaller."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def _cells(u, v, rng):
    """Distances to the nearest and second-nearest feature point, one random point per unit cell (Worley 1996)."""
    table = rng.uniform(-0.33, 0.33, (2, 16, 16))
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    nearest = second = np.full(u.shape, np.inf)
    for di, dj in itertools.product((-1, 0, 1), repeat=2):
        shift_u, shift_v = table[:, (i + di) % 16, (j + dj) % 16]
        d = np.hypot(i + di + 0.5 + shift_u - u, j + dj + 0.5 + shift_v - v)
        second = np.minimum(second, np.maximum(nearest, d))
        nearest = np.minimum(nearest, d)
    return nearest, second
