import numpy as np
import torch

from stages.color.lab import decode_lab8
from stages.painting.baselines import baseline_painters

CPU = torch.device("cpu")
# Of the training pixels three have the stored lightness 51 and one has 255.
PIXELS, MEANS = np.zeros(256, dtype=np.int64), np.zeros((256, 2))
PIXELS[[51, 255]], MEANS[[51, 255]] = (3, 1), ((8, -4), (0, 12))


def painted(name: str, *lightnesses: int) -> list[list[float]]:
    """(a, b) of pixels of stored lightness, whatever their own colour."""
    lab8 = np.array([[lightnesses, [200] * len(lightnesses), [9] * len(lightnesses)]], dtype=np.uint8)[:, :, None]
    ab = baseline_painters(PIXELS, MEANS, CPU)[name](decode_lab8(torch.from_numpy(lab8)))
    assert ab.shape == (1, 2, 1, len(lightnesses))
    return ab[0, :, 0].T.tolist()


def test_colors_by_hand():
    assert painted("grey", 51, 200) == [[0, 0], [0, 0]]
    assert painted("mean_ab", 51, 200) == [[6, 0], [6, 0]]  # (3 (8, -4) + (0, 12)) / 4
    assert painted("mean_ab_by_lightness", 51, 255) == [[8, -4], [0, 12]]


def test_every_stored_lightness_is_found_again():
    means = np.stack((np.arange(256) / 2, -np.arange(256) / 4), axis=1)
    lab8 = np.zeros((1, 3, 16, 16), dtype=np.uint8)
    lab8[0, 0] = np.arange(256).reshape(16, 16)
    paint = baseline_painters(np.ones(256, dtype=np.int64), means, CPU)["mean_ab_by_lightness"]
    ab = paint(decode_lab8(torch.from_numpy(lab8)))
    np.testing.assert_array_equal(ab[0].numpy().reshape(2, 256).T, means)
