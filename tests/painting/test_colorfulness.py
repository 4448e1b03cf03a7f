import math

import pytest
import torch

from stages.painting.colorfulness import colorfulness


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> torch.Tensor:
    """An image of two colours, 8-bit values: (1, 3, 4, 4)."""
    image = torch.empty(1, 3, 4, 4)
    image[..., :2], image[..., 2:] = (torch.tensor(color).reshape(1, 3, 1, 1) / 255 for color in (left, right))
    return image


def test_two_colors_by_hand():
    # Red: rg = 200, yb = 100. Green: rg = -200, yb = 100. Deviations 200 and 0, means 0 and 100.
    assert colorfulness(halves((200, 0, 0), (0, 200, 0))) == pytest.approx(200 + 0.3 * 100)
    # Yellow: rg = 0, yb = 100. Orange: rg = 60, yb = 20. Deviations 30 and 40, means 30 and 60.
    assert colorfulness(halves((100, 100, 0), (100, 40, 50))) == pytest.approx(50 + 0.3 * math.hypot(30, 60), abs=1e-4)


def test_grey_is_not_colorful():
    assert colorfulness(halves((0, 0, 0), (255, 255, 255))) == 0
    assert colorfulness(halves((77, 77, 77), (150, 150, 150))) == pytest.approx(0, abs=1e-4)


def test_images_are_judged_one_by_one():
    images = torch.cat((halves((9, 9, 9), (80, 80, 80)), halves((200, 0, 0), (0, 200, 0))))
    assert colorfulness(images).tolist() == pytest.approx([0, 230], abs=1e-3)
