import pytest
import torch

from stages.color.normalization import normalize_ab, normalize_lightness
from stages.models.autoencoder import Autoencoder

STUDY = dict(block_out_channels=[32, 64, 64], layers_per_block=2, latent_channels=4, norm_num_groups=32)
SMALL = dict(block_out_channels=[8, 8, 8], layers_per_block=1, latent_channels=4, norm_num_groups=4)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def lab_images(count=2, edge=32):
    return torch.rand(count, 3, edge, edge) * 60 + torch.tensor([20.0, -30, -30]).reshape(3, 1, 1)


def test_the_study_has_1_287_631_parameters():
    assert parameters(Autoencoder("lightness", 3, **STUDY)) == 1_287_631


def test_shapes():
    model = Autoencoder("lightness", 2, **SMALL)
    assert model.encode(lab_images()).shape == (2, 4, 8, 8)
    assert model(lab_images()).shape == (2, 2, 32, 32)


@pytest.mark.parametrize(("stride", "edge"), [(1, 32), (2, 16), (4, 8)])
def test_a_decoder_stops_at_its_stride(stride, edge):
    model = Autoencoder("lightness", 5, **SMALL, output_stride=stride)
    assert model(lab_images()).shape == (2, 5, edge, edge)


@pytest.mark.parametrize(("input_channels", "seen"), [("lightness", [0]), ("ab", [1, 2]), ("lab", [0, 1, 2])])
def test_it_sees_the_channels_that_it_says_and_no_other(input_channels, seen):
    model, lab = Autoencoder(input_channels, 2, **SMALL).eval(), lab_images()
    for channel in range(3):
        other = lab.clone()
        other[:, channel] += 15
        assert torch.equal(model.encode(lab), model.encode(other)) == (channel not in seen)


def test_layers_are_those_that_the_encoder_passes_through():
    model, lab = Autoencoder("lightness", 2, **SMALL).eval(), lab_images()
    layers = model.activations(lab)
    assert {name: tuple(maps.shape[1:]) for name, maps in layers.items()} == {
        "down_0": (8, 16, 16),
        "down_1": (8, 8, 8),
        "down_2": (8, 8, 8),
        "mid": (8, 8, 8),
        "latent": (4, 8, 8),
    }
    assert torch.equal(layers["latent"], model.encode(lab))
    outputs = {}
    blocks = {f"down_{number}": block for number, block in enumerate(model.encoder.down_blocks)}
    for name, block in (blocks | {"mid": model.encoder.mid_block}).items():
        block.register_forward_hook(lambda _, __, output, name=name: outputs.update({name: output}))
    model.encoder(normalize_lightness(lab))
    assert all(torch.equal(layers[name], output) for name, output in outputs.items())
    assert outputs.keys() == layers.keys() - {"latent"}


def test_regression_paints_in_units_of_a_and_b():
    model, lab = Autoencoder("lightness", 2, **SMALL).eval(), lab_images()
    assert torch.allclose(model.predict_ab(lab, 0.38), model(lab) * 110)
    assert model.predicts_ab
    assert not Autoencoder("lab", 3, **SMALL).predicts_ab
    assert torch.allclose(
        normalize_ab(torch.cat((lab[:, :1], model.predict_ab(lab, 0.38)), dim=1)), model(lab), atol=1e-6
    )


def test_a_classifier_of_colors_paints_colors_of_its_palette_at_the_full_size():
    model, lab = Autoencoder("lightness", 3, **SMALL, output_stride=4, bins=3).eval(), lab_images()
    model.bins.copy_(torch.tensor([[-40.0, 10], [0, 10], [40, 10]]))
    painted = model.predict_ab(lab, 0.38)
    assert painted.shape == (2, 2, 32, 32)
    assert painted[:, 0].abs().max() <= 40
    assert torch.allclose(painted[:, 1], torch.tensor(10.0), atol=1e-4)
    with torch.no_grad():
        model.decoder.conv_out.weight.zero_()
        model.decoder.conv_out.bias.copy_(torch.tensor([0.0, 0, 30]))
    assert torch.allclose(model.predict_ab(lab, 0.38)[:, 0], torch.tensor(40.0), atol=1e-3)


def test_fewer_groups_keep_the_contrast_between_channels_that_instance_norm_erases():
    torch.manual_seed(0)
    features = torch.randn(1, 8, 16, 16) * torch.arange(1, 9).reshape(1, 8, 1, 1)
    spread = {}
    for groups in (1, 8):
        norm = Autoencoder("lightness", 2, [8], 1, 4, groups).encoder.down_blocks[0].resnets[0].norm1
        spread[groups] = norm(features).std(dim=(2, 3)).std().item()
    assert spread[8] < 1e-3 < 0.1 < spread[1]


def test_same_seed_same_encoder_whatever_it_shall_paint():
    encoders = []
    for out_channels in (1, 2):
        torch.manual_seed(3)
        encoders.append(Autoencoder("lightness", out_channels, **SMALL))
    lab = lab_images()
    assert torch.equal(encoders[0].encode(lab), encoders[1].encode(lab))
