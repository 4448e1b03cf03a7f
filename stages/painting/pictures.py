"""Grids of pictures: lightness, truth and prediction, and which images they show."""

import numpy as np
from PIL import Image

from stages.color.lab import lab_to_rgb

SHORTEST_EDGE = 128
GAP = 4


def picture_grid(lab: np.ndarray, painted_ab: np.ndarray) -> Image.Image:
    """Three rows: lightness, truth, painted; a column an image.

    Args:
        lab: (N, 3, S, S) float32 Lab, the true images.
        painted_ab: (N, 2, S, S) float32.

    Returns:
        An RGB image; images smaller than 128 px are enlarged by a whole factor, pixel by pixel.
    """
    grey = np.concatenate((lab[:, :1], np.zeros_like(painted_ab)), axis=1)
    painted = np.concatenate((lab[:, :1], painted_ab), axis=1)
    rows = np.stack([lab_to_rgb(images) for images in (grey, lab, painted)])
    pixels = np.rint(rows.clip(0, 1) * 255).astype(np.uint8)
    factor = max(1, SHORTEST_EDGE // lab.shape[-1])
    pixels = pixels.repeat(factor, axis=-1).repeat(factor, axis=-2)
    pixels = np.pad(pixels, ((0, 0), (0, 0), (0, 0), (GAP, 0), (GAP, 0)), constant_values=255)
    kinds, images, channels, height, width = pixels.shape
    sheet = pixels.transpose(0, 3, 1, 4, 2).reshape(kinds * height, images * width, channels)
    return Image.fromarray(sheet)


def one_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Rows of the first image of `count` classes, evenly spaced over all classes.

    Args:
        labels: (N,) integers.
    """
    _, first = np.unique(labels, return_index=True)
    spaced = np.linspace(0, len(first) - 1, min(count, len(first))).round().astype(int)
    return first[spaced]


def by_score(scores: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Rows of the `best` (smallest), `typical` (nearest to the median) and `worst` scores, up to `count` of each.

    Args:
        scores: (N,), smaller is better.

    Returns:
        By name, rows in the order of their scores; of equal scores the earlier rows.
    """
    distances = {"best": scores, "typical": np.abs(scores - np.median(scores)), "worst": -scores}
    nearest = {name: np.argsort(distance, kind="stable")[:count] for name, distance in distances.items()}
    return {name: rows[np.argsort(scores[rows], kind="stable")] for name, rows in nearest.items()}
