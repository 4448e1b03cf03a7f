"""What each objective asks for, against values worked out by hand."""

import math

import pytest
import torch

from stages.color.normalization import normalize_ab, normalize_lightness
from stages.compute.batches import Batch
from stages.controls.reconstruct_input import Reconstruction
from stages.controls.supervised import Classification
from stages.losses.color_classification import ColorClassification
from stages.objectives.colorization import Colorization
from stages.objectives.split_brain import SplitBrainClassification, SplitBrainRegression
from stages.runtime.schema import Model
from tests.project import ROOT

MODEL = Model(block_out_channels=[8, 16], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)
PALETTE = torch.tensor([[-40.0, 0], [0, 0], [40, 0]])
EQUAL = torch.full((3,), 1 / 3)


def plain(lightness, a, b, edge=4):
    return torch.tensor([lightness, a, b]).reshape(1, 3, 1, 1).repeat(1, 1, edge, edge)


def shown(lab):
    return Batch(lab, lab)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_classification_looks_at_colors_averaged_over_its_stride():
    # Half of each 2 x 2 block is at a = -40 and half at 40: the block's colour is grey, the middle bin.
    lab = plain(50.0, 40.0, 0.0)
    lab[:, 1, :, ::2] = -40
    objective = ColorClassification(PALETTE, EQUAL, torch.ones(3), neighbors=1, sigma=5.0, stride=2)
    logits = torch.zeros(1, 3, 2, 2)
    logits[:, 1] = 20
    assert objective.losses(logits, shown(lab))["loss"].item() == pytest.approx(0, abs=1e-6)
    assert objective.losses(torch.zeros(1, 3, 2, 2), shown(lab))["loss"].item() == pytest.approx(math.log(3), rel=1e-6)


def test_rare_colors_weigh_more():
    objective = ColorClassification(PALETTE, EQUAL, torch.tensor([1.0, 0.5, 4.0]), neighbors=1, sigma=5.0, stride=1)
    uniform = torch.zeros(1, 3, 4, 4)
    losses = [objective.losses(uniform, shown(plain(50.0, a, 0.0)))["loss"].item() for a in (-40.0, 0.0, 40.0)]
    assert losses == pytest.approx([math.log(3), 0.5 * math.log(3), 4 * math.log(3)], rel=1e-5)


def test_a_network_that_classifies_knows_its_palette():
    network = ColorClassification(PALETTE, EQUAL, torch.ones(3), 1, 5.0, 2).build(MODEL)
    assert torch.equal(network.bins, PALETTE)
    assert network(plain(50.0, 0.0, 0.0, edge=8)).shape == (1, 3, 4, 4)


def test_a_network_that_classifies_starts_from_the_shares_of_the_colors():
    shares = torch.tensor([0.9, 0.1, 0.0])
    objective = ColorClassification(PALETTE, shares, torch.ones(3), neighbors=1, sigma=5.0, stride=1)
    network = objective.build(MODEL)
    network.decoder.conv_out.weight.data.zero_()
    lab = torch.cat([plain(50.0, -40.0, 0.0)] * 9 + [plain(50.0, 0.0, 0.0)])
    best = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert objective.losses(network(lab), shown(lab))["loss"].item() == pytest.approx(best, abs=0.01)
    never_seen = plain(50.0, 40.0, 0.0)
    assert math.isfinite(objective.losses(network(never_seen), shown(never_seen))["loss"].item())


@pytest.mark.parametrize(
    ("pixel", "color", "lightness"),
    [
        # Grey and black instead of (75, 22, -11): after scaling a is off by 0.2, b by 0.1, L by 0.5.
        ("l2", (0.2**2 + 0.1**2) / 2, 0.5**2),
        ("l1", (0.2 + 0.1) / 2, 0.5),
        # beta is 16.5 in units of Lab: 0.15 of a and b, 0.33 of L.
        ("smooth_l1", ((0.2 - 0.15 / 2) + 0.1**2 / 0.3) / 2, 0.5 - 0.33 / 2),
    ],
)
def test_split_brain_adds_the_losses_of_both_predictions(pixel, color, lightness):
    objective = SplitBrainRegression(0.5, pixel, 16.5, stride=2)
    lab = plain(75.0, 22.0, -11.0)
    small = lab[..., ::2, ::2]
    perfect = objective.losses([normalize_ab(small), normalize_lightness(small)], shown(lab))
    assert [value.item() for value in perfect.values()] == [0, 0, 0]
    parts = objective.losses([torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 2, 2)], shown(lab))
    assert parts["color"].item() == pytest.approx(color, rel=1e-5)
    assert parts["lightness"].item() == pytest.approx(lightness, rel=1e-5)
    assert parts["loss"].item() == pytest.approx(color + lightness, rel=1e-5)


@pytest.mark.parametrize(("lightness", "bin_"), [(0.0, 0), (1.9, 0), (2.1, 1), (99.0, 49), (100.0, 49)])
def test_split_brain_tells_fifty_lightnesses_apart(lightness, bin_):
    objective = SplitBrainClassification(0.5, ColorClassification(PALETTE, EQUAL, torch.ones(3), 1, 5.0, stride=2))
    logits = torch.zeros(1, 50, 2, 2)
    logits[:, bin_] = 30
    parts = objective.losses([torch.zeros(1, 3, 2, 2), logits], shown(plain(lightness, 0.0, 0.0)))
    assert parts["lightness"].item() == pytest.approx(0, abs=1e-6)
    assert parts["loss"].item() == pytest.approx(math.log(3), rel=1e-5)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_split_brain_predicts_lightness_as_it_was_before_it_was_varied(kind):
    if kind == "classification":
        colors = ColorClassification(PALETTE, EQUAL, torch.ones(3), 1, 5.0, stride=1)
        objective, channels = SplitBrainClassification(0.5, colors), (3, 50)
    else:
        objective, channels = SplitBrainRegression(0.5, "l2", 5.0, stride=1), (2, 1)
    output = [torch.zeros(1, channels[0], 4, 4), torch.randn(1, channels[1], 4, 4)]
    true, varied = plain(50.0, 0.0, 0.0), plain(60.0, 0.0, 0.0)
    assert objective.losses(output, Batch(varied, true)) == objective.losses(output, Batch(true, true))
    assert objective.losses(output, Batch(true, varied)) != objective.losses(output, Batch(true, true))


STUDY = Model(
    block_out_channels=[32, 64, 64], layers_per_block=2, latent_channels=4, norm_num_groups=8, chroma_stride=4
)
COLORS_262 = ColorClassification(torch.zeros(262, 2), torch.ones(262), torch.ones(262), 5, 5.0, stride=4)


@pytest.mark.parametrize(
    ("objective", "whole", "encoders"),
    [
        (COLORS_262, 1_074_578, 533_580),
        (SplitBrainClassification(0.5, COLORS_262), 555_076, 268_748),
        (SplitBrainClassification(0.75, COLORS_262), 1_173_820, 600_100),
        (Colorization(None, None, 4), 924_558, 533_580),
        (SplitBrainRegression(0.5, "l2", 5.0, 4), 465_775, 268_748),
        (SplitBrainRegression(0.75, "l2", 5.0, 4), 1_040_023, 600_100),
    ],
)
def test_the_parameters_of_the_single_network_and_of_both_halves_are_those_of_the_page(objective, whole, encoders):
    network = objective.build(STUDY)
    single = getattr(network, "halves", [network])
    counts = parameters(network), sum(parameters(half.encoder) + parameters(half.to_latents) for half in single)
    assert counts == (whole, encoders)
    page = (ROOT / "docs/representations.md").read_text()
    assert f"| {whole:,} | {encoders:,} |" in page
    # Together the halves have the single network's latents.
    assert network.encode(plain(50.0, 10.0, 10.0, edge=8)).shape == (1, 4, 2, 2)


def test_the_autoencoder_makes_all_of_lab_and_reconstruction_lightness_only():
    lab = plain(75.0, 22.0, -11.0)
    whole, grey = Reconstruction("lab"), Reconstruction("lightness")
    assert whole.losses(torch.cat((normalize_lightness(lab), normalize_ab(lab)), dim=1), shown(lab))["loss"].item() == 0
    assert whole.losses(torch.zeros(1, 3, 4, 4), shown(lab))["loss"].item() == pytest.approx(0.1, rel=1e-5)
    assert grey.losses(torch.zeros(1, 1, 4, 4), shown(lab))["loss"].item() == pytest.approx(0.25, rel=1e-5)


def test_reconstruction_at_a_stride_has_the_mean_of_each_square_as_its_target():
    lab = plain(0.0, 0.0, 0.0)
    lab[:, 0, :2, :2] = torch.tensor([[0.0, 100.0], [50.0, 50.0]])  # mean 50, so 0 in [-1, 1]; -1 elsewhere
    target = torch.full((1, 1, 2, 2), -1.0)
    target[..., 0, 0] = 0
    objective = Reconstruction("lightness", stride=2)
    assert objective.losses(target, shown(lab))["loss"].item() == 0
    assert objective.losses(target + 0.5, shown(lab))["loss"].item() == pytest.approx(0.25)
    network = objective.build(MODEL)
    painter = Colorization(None, None, 2).build(MODEL)
    assert network(plain(50.0, 0.0, 0.0, edge=8)).shape == (1, 1, 4, 4)
    # Colorization's decoder, but for the second channel of the last layer: a 3x3 kernel over 16 channels, and a bias.
    sizes = [parameters(net.decoder) for net in (network, painter)]
    assert sizes[1] - sizes[0] == 9 * 16 + 1


def test_supervision_trains_the_encoder_that_is_kept():
    torch.manual_seed(0)
    objective = Classification(3)
    model = objective.build(MODEL)
    losses = objective.losses(model(torch.rand(4, 3, 8, 8) * 50), Batch(None, None, torch.tensor([0, 1, 2, 0])))
    losses["loss"].backward()
    assert model.autoencoder.encoder.conv_in.weight.grad.abs().sum() > 0
    assert model.autoencoder.to_latents.weight.grad.abs().sum() > 0
    sure = torch.tensor([[30.0, 0, 0], [30, 0, 0]])
    losses = objective.losses(sure, Batch(None, None, torch.tensor([0, 1])))
    assert losses["accuracy"].item() == 0.5
    assert losses["loss"].item() == pytest.approx(15, rel=1e-5)
