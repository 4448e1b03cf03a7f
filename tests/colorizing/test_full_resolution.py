import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from stages.color.lab import decode_lab8
from stages.colorizing import bands
from stages.colorizing.bands import Whole
from stages.colorizing.full_resolution import network_size, paint_photograph
from stages.photographs.decoding import photograph_to_lab8

CPU = torch.device("cpu")


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(60, 190, (height, width, 3), dtype=np.uint8))


def warm(lab: torch.Tensor) -> torch.Tensor:
    """a = 12, b = 20 everywhere."""
    return torch.tensor([12.0, 20.0]).reshape(1, 2, 1, 1).expand_as(lab[:, 1:])


def columns(lab: torch.Tensor) -> torch.Tensor:
    """b rises from -20 at the left edge to 20 at the right one; a is 0."""
    width = lab.shape[-1]
    ramp = (torch.arange(width) + 0.5) / width * 40 - 20
    return torch.stack((torch.zeros_like(lab[:, 0]), ramp.expand_as(lab[:, 0])), dim=1)


@pytest.mark.parametrize(("width", "height"), [(101, 67), (67, 101), (7, 5), (1, 1), (300, 3), (64, 64)])
def test_every_shape_keeps_its_size_and_its_own_lightness(width, height):
    photograph = noise(width, height)
    painted = paint_photograph(Whole(photograph), warm, 32, 4, CPU)
    assert (painted.mode, painted.size) == ("RGB", photograph.size)
    before, after = rgb2lab(np.asarray(photograph)), rgb2lab(np.asarray(painted))
    assert np.abs(before[..., 0] - after[..., 0]).max() < 1
    assert np.abs(after[..., 1:] - [12, 20]).max() < 2


def test_colours_that_srgb_cannot_show_leave_the_lightness_alone():
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))

    def vivid(lab: torch.Tensor) -> torch.Tensor:
        return torch.tensor([90.0, 100.0]).reshape(1, 2, 1, 1).expand_as(lab[:, 1:])

    painted = paint_photograph(Whole(photograph), vivid, 32, 4, CPU)
    before, after = rgb2lab(np.asarray(photograph)), rgb2lab(np.asarray(painted))
    assert np.abs(before[..., 0] - after[..., 0]).mean() < 0.3
    assert np.abs(before[..., 0] - after[..., 0]).max() < 1.5
    vivid_enough = (before[..., 0] > 30) & (before[..., 0] < 70)
    assert np.hypot(after[..., 1], after[..., 2])[vivid_enough].min() > 30
    hue = np.degrees(np.arctan2(after[..., 2], after[..., 1]))[vivid_enough]
    assert np.abs(hue - np.degrees(np.arctan2(100, 90))).max() < 3


def test_bands_leave_no_seams(monkeypatch):
    photograph = noise(60, 90)
    whole = np.asarray(paint_photograph(Whole(photograph), columns, 32, 4, CPU))
    monkeypatch.setattr(bands, "BAND_PIXELS", 60 * 7)
    banded = np.asarray(paint_photograph(Whole(photograph), columns, 32, 4, CPU))
    assert np.abs(whole.astype(int) - banded).max() <= 1


def test_colors_lie_where_they_were_painted():
    photograph = Image.new("RGB", (160, 120), (119, 119, 119))
    b = rgb2lab(np.asarray(paint_photograph(Whole(photograph), columns, 32, 4, CPU)))[..., 2]
    expected = (np.arange(160) + 0.5) / 160 * 40 - 20
    assert np.abs(b - expected)[:, 4:-4].max() < 1.5
    assert np.abs(b[:, ::8] - b[0, ::8]).max() < 1


def test_the_network_sees_what_it_was_trained_on():
    """A square photograph reaches it as the pipeline would have stored it."""
    seen = []
    photograph = noise(96, 96)
    buffer = io.BytesIO()
    photograph.save(buffer, "PNG")
    paint_photograph(Whole(photograph), lambda lab: seen.append(lab) or warm(lab), 32, 4, CPU)
    np.testing.assert_array_equal(seen[0][0].numpy(), decode_lab8(photograph_to_lab8(buffer.getvalue(), 32, "crop")))


def test_the_shorter_side_is_as_in_training_and_both_are_multiples_of_the_stride():
    assert network_size(4000, 3000, 64, 4) == (84, 64)
    assert network_size(3000, 4000, 64, 4) == (64, 84)
    assert network_size(20, 20, 64, 4) == (64, 64)
    assert network_size(10_000, 1, 64, 4) == (384, 64)  # squeezed: the network's cost stays bounded
    assert network_size(100, 90, 32, 32) == (32, 32)
