import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from stages.color.normalization import normalize_ab, normalize_lightness
from stages.models.autoencoder import Autoencoder
from stages.models.files import load_encoder, save_encoder
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError

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
    model = Autoencoder("lightness", 5, **SMALL, stride=stride)
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


def test_a_split_brain_sees_lightness_with_one_half_and_color_with_the_other():
    halves = [Autoencoder(channels, 2, [4, 4, 4], 1, 2, 4) for channels in ("lightness", "ab")]
    model, lab = SplitBrain(halves).eval(), lab_images()
    latents = model.encode(lab)
    assert latents.shape == (2, 4, 8, 8)
    brighter, redder = lab.clone(), lab.clone()
    brighter[:, 0] += 15
    redder[:, 1] += 15
    assert torch.equal(model.encode(brighter)[:, 2:], latents[:, 2:])
    assert not torch.equal(model.encode(brighter)[:, :2], latents[:, :2])
    assert torch.equal(model.encode(redder)[:, :2], latents[:, :2])
    assert not torch.equal(model.encode(redder)[:, 2:], latents[:, 2:])
    assert torch.equal(model.activations(lab)["latent"], latents)


def test_regression_paints_in_units_of_a_and_b():
    model, lab = Autoencoder("lightness", 2, **SMALL).eval(), lab_images()
    assert torch.allclose(model.predict_ab(lab, 0.38), model(lab) * 110)
    assert model.predicts_ab
    assert not Autoencoder("lab", 3, **SMALL).predicts_ab
    assert torch.allclose(
        normalize_ab(torch.cat((lab[:, :1], model.predict_ab(lab, 0.38)), dim=1)), model(lab), atol=1e-6
    )


def test_a_classifier_of_colors_paints_colors_of_its_palette_at_the_full_size():
    model, lab = Autoencoder("lightness", 3, **SMALL, stride=4, bins=3).eval(), lab_images()
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


@pytest.mark.parametrize("kind", ["regression", "classification", "split_brain"])
def test_saved_and_loaded_it_gives_the_same(tmp_path, kind):
    if kind == "split_brain":
        model = SplitBrain([Autoencoder(channels, 2, [4, 4, 4], 1, 2, 4) for channels in ("lightness", "ab")])
    else:
        model = Autoencoder("lightness", 2, **SMALL, bins=2 if kind == "classification" else 0)
    if kind == "classification":
        model.bins.copy_(torch.tensor([[-40.0, 10], [40, 10]]))
    save_encoder(model.eval(), tmp_path, image_size=32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    loaded, lab = load_encoder(tmp_path), lab_images()
    assert torch.equal(loaded.encode(lab), model.encode(lab))
    assert torch.equal(loaded.predict_ab(lab, 0.38), model.predict_ab(lab, 0.38))
    assert loaded.image_size == 32


def test_same_seed_same_encoder_whatever_it_shall_paint():
    encoders = []
    for out_channels in (1, 2):
        torch.manual_seed(3)
        encoders.append(Autoencoder("lightness", out_channels, **SMALL))
    lab = lab_images()
    assert torch.equal(encoders[0].encode(lab), encoders[1].encode(lab))


def test_folders_that_are_not_whole_are_refused(tmp_path):
    with pytest.raises(StageError, match=r"config\.json is missing"):
        load_encoder(tmp_path)
    save_encoder(Autoencoder("lightness", 2, **SMALL), tmp_path, image_size=32)

    weights = load_file(tmp_path / "model.safetensors")
    name = next(iter(weights))
    save_file({key: value for key, value in weights.items() if key != name}, tmp_path / "model.safetensors")
    with pytest.raises(StageError, match=name):
        load_encoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"half")
    with pytest.raises(StageError, match="does not hold a whole autoencoder"):
        load_encoder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(StageError, match="missing"):
        load_encoder(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"image_size": 32, "input_channels": "lightness"}))
    with pytest.raises(StageError, match="must have the keys"):
        load_encoder(tmp_path)
