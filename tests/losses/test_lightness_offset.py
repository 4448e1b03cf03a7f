"""What lightness alone says about colour, against values worked out by hand."""

import math

import numpy as np
import pytest
import torch

from stages.compute.batches import Batch
from stages.losses.color_classification import ColorClassification
from stages.losses.lightness_offset import color_logits, lightness_logits, mean_colors, mean_lightness
from stages.models.offset import Offset
from stages.objectives.colorization import Colorization
from stages.objectives.split_brain import LIGHTNESS_BINS, SplitBrainRegression
from stages.painting.baselines import baseline_painters
from stages.runtime.schema import Loss, Model

MODEL = Model(block_out_channels=[8, 16], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)
PALETTE = np.array([[-40.0, 0], [0, 0], [40, 0]], dtype=np.float32)
WEIGHTS = np.array([1.0, 0.5, 2.0])
L2 = dict(pixel="l2", pixel_weight=1.0, smooth_l1_beta=5.0, lpips_weight=0.0, lpips_net="alex", lpips_backbone="random")
MANY = 10**9  # beside which 20 counts of the marginal are nothing


def joint(**counts) -> np.ndarray:
    """Counts of the three colours at some stored lightnesses, `l0`, `l128`, ..."""
    table = np.zeros((256, 3), dtype=np.int64)
    for level, row in counts.items():
        table[int(level[1:])] = row
    return table


def squares(*pixels: tuple[float, float, float]) -> torch.Tensor:
    """Images of 4 x 4 pixels of one colour, (L, a, b)."""
    return torch.tensor(pixels)[:, :, None, None].repeat(1, 1, 4, 4)


def without_output(network):
    """The network as it is when its decoder gives zero."""
    network.requires_grad_(False).decoder.conv_out.weight.zero_()
    return network


def test_logits_of_colors_by_hand():
    # Dark: 3 of 4 are at a = -40, where a position weighs 1; the grey ones weigh 0.5. Light: all at a = 40.
    offset = color_logits(joint(l0=[3 * MANY, MANY, 0], l255=[0, 0, 4 * MANY]), PALETTE, WEIGHTS, 1, 5.0)
    shares = offset.rows.exp()
    assert shares.shape == (65, 3)
    assert shares[0].tolist() == pytest.approx([6 / 7, 1 / 7, 0], abs=1e-6)
    assert shares[64].tolist() == pytest.approx([0, 0, 1], abs=1e-6)
    # No pixel has a lightness near 50: what remains are the weighted shares of all, 6 : 1 : 16, and 1 % shared evenly.
    rest = [(share / 23 + 0.01 / 3) / 1.01 for share in (6, 1, 16)]
    assert shares[32].tolist() == pytest.approx(rest, rel=1e-4)


def test_soft_encoding_is_that_of_the_loss():
    # Of the two nearest bins a grey pixel shares with a = -40: e^(-40^2 / (2 x 30^2)) to 1.
    offset = color_logits(joint(l0=[0, MANY, 0]), PALETTE, np.ones(3), 2, 30.0)
    far = math.exp(-(40**2) / (2 * 30**2))
    near, other = 1 / (1 + far), far / (1 + far)
    assert sorted(offset.rows[0].exp().tolist()) == pytest.approx([0, other, near], abs=1e-6)


def test_counts_are_smoothed_over_lightness_by_a_gaussian_of_one_and_a_half_steps():
    # In units of the 256 stored lightnesses a step is 255 / 64 and the Gaussian's sigma 5.98. Step 28 holds 110 to 113,
    # midway between 96 and 127; step 27 holds 106 to 109, on average 11.5 and 19.5 away from them.
    offset = color_logits(joint(l96=[MANY, 0, 0], l127=[0, MANY, 0]), PALETTE, np.ones(3), 1, 5.0)
    assert offset.rows[28].exp().tolist() == pytest.approx([0.5, 0.5, 0], abs=0.001)
    nearer = 1 / (1 + math.exp((11.5**2 - 19.5**2) / (2 * 5.98**2)))
    assert offset.rows[27].exp().tolist() == pytest.approx([nearer, 1 - nearer, 0], abs=0.005)


def test_with_a_zero_output_the_loss_is_that_of_the_best_answer_from_lightness():
    offset = color_logits(joint(l0=[3 * MANY, MANY, 0], l255=[0, 0, 4 * MANY]), PALETTE, WEIGHTS, 1, 5.0)
    weights = torch.from_numpy(WEIGHTS).float()
    objective = ColorClassification(torch.from_numpy(PALETTE), torch.ones(3) / 3, weights, 1, 5.0, 2, offset)
    network = without_output(objective.build(MODEL))
    lab = squares(*[(0.0, -40.0, 0.0)] * 3, (0.0, 0.0, 0.0), *[(100.0, 40.0, 0.0)] * 4)
    loss = objective.losses(network(lab), Batch(lab, lab))["loss"].item()
    assert loss == pytest.approx(-(3 * math.log(6 / 7) + 0.5 * math.log(1 / 7)) / 8, rel=1e-4)
    # It is the best: other logits of the dark ones lose more.
    for row, column in ((0, 0), (0, 1)):
        for step in (-0.1, 0.1):
            network.offset.rows[row, column] += step
            assert objective.losses(network(lab), Batch(lab, lab))["loss"].item() > loss
            network.offset.rows[row, column] -= step
    # And what it paints is the annealed mean of those shares: 6 : 1 at temperature 0.5 is 36 : 1.
    assert network.predict_ab(lab, 0.5)[0, 0].numpy() == pytest.approx(-40 * 36 / 37, rel=1e-4)


def test_a_regression_starts_from_the_baseline_of_the_mean_color_of_each_lightness():
    means = np.random.default_rng(0).uniform(-60, 60, (256, 2))
    network = without_output(Colorization(Loss(**L2, adversarial_weight=0.0, gradient_penalty=1.0), None, 1,
                                          mean_colors(means)).build(MODEL))  # fmt: skip
    lab = torch.arange(256).reshape(1, 1, 16, 16) / 2.55 * torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1)
    baseline = baseline_painters(np.ones(256), means, torch.device("cpu"))["mean_ab_by_lightness"]
    torch.testing.assert_close(network.predict_ab(lab, 1.0), baseline(lab), atol=1e-4, rtol=0)


def test_logits_of_lightness_by_hand():
    # Greys are dark three times as often as light; no pixel is near a = -40.
    offset = lightness_logits(joint(l0=[0, 3 * MANY, 0], l255=[0, MANY, 4 * MANY]), PALETTE, 2)
    axis = offset.axes[0]
    assert offset.axes == [axis, axis]
    assert (axis.step, axis.count, axis.first) == (40, 9, -160)
    shares = offset.rows.exp().reshape(9, 9, 2)
    assert shares[4, 4].tolist() == pytest.approx([0.75, 0.25], rel=1e-5)
    assert shares[5, 4].tolist() == shares[8, 0].tolist() == pytest.approx([0, 1], abs=1e-5)
    assert shares[3, 4].tolist() == pytest.approx([(3 / 8 + 0.005) / 1.01, (5 / 8 + 0.005) / 1.01], rel=1e-5)


def test_both_halves_of_a_regression_start_from_what_the_other_channels_mean():
    counts = joint(l0=[0, 3 * MANY, 0], l255=[0, MANY, 4 * MANY])
    objective = SplitBrainRegression(
        0.5, "l2", 5.0, 2, mean_colors(np.full((256, 2), 11.0)), mean_lightness(counts, PALETTE)
    )
    network = objective.build(MODEL)
    for half in network.halves:
        without_output(half)
    colors, lightness = network(squares((70.0, 19.0, 3.0), (70.0, 40.0, 0.0), (70.0, -39.0, 90.0)))
    assert colors.flatten().numpy() == pytest.approx(0.1)
    # A quarter of the greys are white: L 25. All of a = 40 are. Of a = -40 there are none: 5 of 8 of all are white.
    assert (lightness[:, 0, 0, 0] * 50 + 50).tolist() == pytest.approx([25, 100, 62.5], rel=1e-5)


def test_rows_survive_json_and_the_first_weights_of_an_encoder_are_the_same_with_an_offset():
    offset = lightness_logits(joint(l3=[1, 2, 3]), PALETTE, LIGHTNESS_BINS)
    again = Offset.from_json(offset.to_json())
    assert again.axes == offset.axes
    torch.testing.assert_close(again.rows, offset.rows, atol=1e-6, rtol=0)
    encoders = []
    for color_offset in (None, mean_colors(np.zeros((256, 2)))):
        torch.manual_seed(0)
        loss = Loss(**L2, adversarial_weight=0.0, gradient_penalty=1.0)
        encoders.append(Colorization(loss, None, 1, color_offset).build(MODEL).encoder.state_dict())
    assert all(torch.equal(weights, encoders[1][name]) for name, weights in encoders[0].items())
