"""What lightness alone says about colour, and colour about lightness: offsets of a network's output.

A network that has to learn this spends its first steps on it, in every layer, and the direction of lightness then
outweighs all others in the encoder's features. With the offset it is given, and the network learns what is left.

The best answer of a classifier that knows x alone is p(class | x), with each position weighted as in the loss, so the
offset of its logits is log p(class | x). For regression it is the mean given x, the best answer by squared error.
"""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from stages.color.normalization import AB_SCALE, LIGHTNESS_SCALE
from stages.losses.color_classes import soft_encode
from stages.models.offset import Axis, Offset
from stages.palette.bins import lattice

STORED_LIGHTNESS = Axis(0.0, 100 / 255, 256)
STEPS = Axis(0.0, 100 / 64, 65)  # of lightness, at which colours are classified
SMOOTHING = 1.5  # of `STEPS`: sigma of the Gaussian over lightness of all counts
MARGINAL_COUNTS = 20  # by which what lightness (or colour) says is drawn to what is known without it
# Probability spread evenly over the classes, so that what no training image has starts unlikely, not impossible.
UNSEEN_SHARE = 0.01


def color_logits(joint: np.ndarray, bins: np.ndarray, weights: np.ndarray, neighbors: int, sigma: float) -> Offset:
    """log p(ab bin | L), the logits with the least loss of all functions of lightness.

    A colour is taken to lie at the centre of its bin, is weighted by that bin, and is soft-encoded as in
    `classification_loss`.

    Args:
        joint: (256, Q) squares of each stored lightness and bin: see `stages.palette.counts.read_joint`.
        bins: (Q, 2) float32 centres.
        weights: (Q,) of the loss.
        neighbors, sigma: of the soft encoding.
    """
    indices, shares = soft_encode(torch.from_numpy(bins).T[None, :, :, None], torch.from_numpy(bins), neighbors, sigma)
    encoding = np.zeros((len(bins), len(bins)))
    np.put_along_axis(encoding, indices[0, :, :, 0].T.numpy(), shares[0, :, :, 0].T.numpy(), axis=1)
    counts = _smoothed(joint) * weights @ encoding
    return Offset([STEPS], _log_shares(_summed(counts, STEPS.nearest(_levels()), STEPS.count)))


def mean_colors(means: np.ndarray) -> Offset:
    """The mean a and b of each stored lightness, scaled as a network gives them.

    Args:
        means: (256, 2) in units of Lab: see `stages.palette.counts.read_mean_ab`.
    """
    return Offset([STORED_LIGHTNESS], torch.from_numpy(means / AB_SCALE).float())


def lightness_logits(joint: np.ndarray, bins: np.ndarray, classes: int) -> Offset:
    """log p(L bin | ab bin), for `classes` equal bins of lightness; rows for the lattice of the bins."""
    counts = _summed(_smoothed(joint), lightness_classes(_levels(), classes), classes)
    return _on_lattice(bins, _log_shares(counts.T))


def mean_lightness(joint: np.ndarray, bins: np.ndarray) -> Offset:
    """The mean L of each ab bin, scaled as a network gives it; rows for the lattice of the bins."""
    totals, levels = joint.sum(axis=0), _levels().numpy()
    mean = levels @ joint.sum(axis=1) / joint.sum()
    means = (levels @ joint + MARGINAL_COUNTS * mean) / (totals + MARGINAL_COUNTS)
    return _on_lattice(bins, torch.from_numpy(means[:, None] / LIGHTNESS_SCALE - 1).float())


def lightness_classes(lightness: torch.Tensor, classes: int) -> torch.Tensor:
    """The bin of lightness in 0..100 among `classes` equal ones: int64, 0..classes-1, of the same shape."""
    return (lightness * (classes / 100)).long().clamp(max=classes - 1)


def _levels() -> torch.Tensor:
    """(256,) float64: the L of each stored lightness."""
    return torch.arange(256, dtype=torch.float64) / 2.55


def _smoothed(joint: np.ndarray) -> np.ndarray:
    """Counts after a Gaussian over lightness, reflected at black and white, so that none is lost."""
    return gaussian_filter1d(joint.astype(np.float64), SMOOTHING * STEPS.step / STORED_LIGHTNESS.step, axis=0)


def _summed(counts: np.ndarray, groups: torch.Tensor, count: int) -> np.ndarray:
    """(256, Q) -> (count, Q): the sum of the rows of each group."""
    sums = np.zeros((count, counts.shape[1]))
    np.add.at(sums, groups.numpy(), counts)
    return sums


def _log_shares(counts: np.ndarray) -> torch.Tensor:
    """(rows, classes) counts -> float32 log p(class | row), drawn to the shares of all rows together."""
    marginal = counts.sum(axis=0) / counts.sum() + UNSEEN_SHARE / counts.shape[1]
    counts = counts + MARGINAL_COUNTS * marginal
    return torch.from_numpy(np.log(counts / counts.sum(axis=1, keepdims=True))).float()


def _on_lattice(bins: np.ndarray, rows: torch.Tensor) -> Offset:
    """(Q, classes) rows of bins -> an offset that is looked up by a and b."""
    size, nearest = lattice(bins)
    axis = Axis(-size * (len(nearest) // 2), size, len(nearest))
    return Offset([axis, axis], rows[torch.from_numpy(nearest.ravel())])
