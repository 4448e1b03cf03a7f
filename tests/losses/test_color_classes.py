import math

import numpy as np
import pytest
import torch

from stages.losses.color_classes import classification_loss, downsample_ab, soft_encode
from stages.models.annealed_mean import annealed_mean
from stages.palette.bins import gamut_bins

# A plus: the middle and its four neighbours at a distance of 10.
PLUS = torch.tensor([[-10.0, 0], [0, -10], [0, 0], [0, 10], [10, 0]])
PAIR = torch.tensor([[0.0, 0], [10, 0]])


def pixel(*values):
    """(1, C, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1)


def test_soft_encoding_at_a_centre():
    # Weights 1 and, at a distance of 10 with sigma 5, four times e^-2.
    indices, shares = soft_encode(pixel(0, 0), PLUS, 5, 5.0)
    whole = 1 + 4 * math.exp(-2)
    assert indices[0, 0].item() == 2
    assert sorted(indices.flatten().tolist()) == [0, 1, 2, 3, 4]
    assert shares.flatten().tolist() == pytest.approx([1 / whole] + [math.exp(-2) / whole] * 4)


def test_soft_encoding_midway_between_two():
    indices, shares = soft_encode(pixel(5, 0), PLUS, 2, 5.0)
    assert sorted(indices.flatten().tolist()) == [2, 4]
    assert shares.flatten().tolist() == pytest.approx([0.5, 0.5])


def test_soft_encoding_outside_the_bins_by_hand():
    # (16, 0): the distances of the nearest two are 6 and 16; (256 - 36) / (2 x 25) = 4.4.
    indices, shares = soft_encode(pixel(16, 0), PLUS, 2, 5.0)
    assert indices.flatten().tolist() == [4, 2]
    assert shares.flatten().tolist() == pytest.approx([1 / (1 + math.exp(-4.4)), 1 / (1 + math.exp(4.4))])


@pytest.mark.parametrize(("size", "neighbors"), [(5.0, 5), (10.0, 5), (10.0, 1), (20.0, 32)])
def test_soft_encoding_finds_the_nearest_bins_of_any_color(size, neighbors):
    bins = torch.from_numpy(gamut_bins(size))
    ab = torch.from_numpy(np.random.default_rng(0).uniform(-128, 127, (3, 2, 9, 11)).astype(np.float32))
    indices, shares = soft_encode(ab, bins, neighbors, 5.0)
    assert indices.shape == shares.shape == (3, neighbors, 9, 11)
    assert (indices.dtype, shares.dtype) == (torch.int64, torch.float32)
    assert torch.allclose(shares.sum(dim=1), torch.ones(3, 9, 11))
    assert (indices.sort(dim=1).values.diff(dim=1) > 0).all()
    every = (ab.movedim(1, -1)[..., None, :] - bins).norm(dim=-1)
    expected = every.sort(dim=-1).values[..., :neighbors]
    found = every.gather(-1, indices.movedim(1, -1))
    assert torch.allclose(found, expected, rtol=1e-3)


def test_fewer_bins_than_neighbors_are_refused():
    with pytest.raises(ValueError, match="at most the number of bins, 2; got 3"):
        soft_encode(pixel(0, 0), PAIR, 3, 5.0)


def test_downsampling_is_the_mean_of_each_square():
    ab = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 2, 4, 4)
    assert downsample_ab(ab, 2)[0, 1].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert torch.equal(downsample_ab(ab, 1), ab)


def test_loss_by_hand():
    # At (0, 0) with sigma 5 the shares are 1 : e^-2; probabilities 3/4 and 1/4; the nearest bin weighs 2.
    logits = pixel(math.log(3), 0)
    share = 1 / (1 + math.exp(-2))
    expected = 2 * (share * math.log(4 / 3) + (1 - share) * math.log(4))
    loss = classification_loss(logits, pixel(0, 0), PAIR, torch.tensor([2.0, 7.0]), 2, 5.0)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_uniform_logits_cost_the_log_of_the_number_of_bins_times_the_weight():
    # A position at each bin of the plus; the mean weight is 3.
    ab = PLUS.T.reshape(1, 2, 1, 5)
    loss = classification_loss(torch.full((1, 5, 1, 5), 4.0), ab, PLUS, torch.arange(1.0, 6.0), 3, 5.0)
    assert loss.item() == pytest.approx(3 * math.log(5), rel=1e-6)


def test_gradient_is_the_probability_less_the_share_times_the_weight():
    logits = pixel(math.log(3), 0).requires_grad_()
    classification_loss(logits, pixel(10, 0), PAIR, torch.tensor([7.0, 2.0]), 2, 5.0).backward()
    share = 1 / (1 + math.exp(2))
    assert logits.grad.flatten().tolist() == pytest.approx([2 * (0.75 - share), 2 * (share - 0.75)], rel=1e-5)


def test_the_loss_is_least_where_the_probabilities_are_the_shares():
    indices, shares = soft_encode(pixel(3, 1), PLUS, 5, 5.0)
    best = torch.zeros(1, 5, 1, 1).scatter(1, indices, shares.log()).requires_grad_()
    classification_loss(best, pixel(3, 1), PLUS, torch.ones(5), 5, 5.0).backward()
    assert best.grad.abs().max() < 1e-6


def test_annealed_mean_by_hand():
    # Probabilities 1 : 3^-0.38 become 1 : 1/3 at T = 0.38, and the mean of 0 and 10 is 2.5.
    logits = pixel(7, 7 - 0.38 * math.log(3))
    assert annealed_mean(logits, PAIR, 0.38).flatten().tolist() == pytest.approx([2.5, 0], abs=1e-5)


def test_annealed_mean_is_the_mean_at_one_and_the_mode_towards_zero():
    logits = torch.tensor([0.1, 0.1, 0.2, 0.2, 0.4]).log().reshape(1, 5, 1, 1)
    assert annealed_mean(logits, PLUS, 1.0).flatten().tolist() == pytest.approx([3, 1], abs=1e-5)
    assert annealed_mean(logits, PLUS, 1e-3).flatten().tolist() == pytest.approx([10, 0], abs=1e-5)


def test_uniform_logits_paint_the_mean_of_all_bins_everywhere():
    ab = annealed_mean(torch.zeros(2, 2, 3, 4), PAIR, 0.38)
    assert ab.shape == (2, 2, 3, 4)
    assert torch.allclose(ab, torch.tensor([5.0, 0]).reshape(1, 2, 1, 1).expand(2, 2, 3, 4))


def test_autocast_changes_nothing():
    bins = torch.from_numpy(gamut_bins(20.0))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, len(bins), 4, 4, generator=generator)
    ab = torch.randn(2, 2, 4, 4, generator=generator) * 30

    def everything():
        loss = classification_loss(logits, ab, bins, torch.ones(len(bins)), 5, 5.0)
        return loss, annealed_mean(logits, bins, 0.38), *soft_encode(ab, bins, 5, 5.0)

    plain = everything()
    with torch.autocast("cpu", torch.bfloat16):
        for one, other in zip(plain, everything(), strict=True):
            assert one.dtype == other.dtype
            assert torch.equal(one, other)
