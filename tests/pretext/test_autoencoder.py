import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from stages.pretext.autoencoder import Autoencoder, load_autoencoder, save_autoencoder
from stages.shared.errors import StageError

STUDY = dict(block_out_channels=[32, 64, 64], layers_per_block=2, latent_channels=4, norm_num_groups=32)
SMALL = dict(block_out_channels=[8, 8, 8], layers_per_block=1, latent_channels=4, norm_num_groups=4)


def test_the_study_has_1_287_631_parameters():
    model = Autoencoder(in_channels=1, out_channels=3, **STUDY)
    assert sum(parameter.numel() for parameter in model.parameters()) == 1_287_631


def test_shapes():
    model = Autoencoder(in_channels=1, out_channels=2, **SMALL)
    image = torch.zeros(2, 1, 32, 32)
    assert model.encode(image).shape == (2, *model.latent_shape(32)) == (2, 4, 8, 8)
    assert model(image).shape == (2, 2, 32, 32)


def test_fewer_groups_keep_the_contrast_between_channels_that_instance_norm_erases():
    torch.manual_seed(0)
    features = torch.randn(1, 8, 16, 16) * torch.arange(1, 9).reshape(1, 8, 1, 1)
    spread = {}
    for groups in (1, 8):
        norm = Autoencoder(1, 2, [8], 1, 4, groups).encoder.down_blocks[0].resnets[0].norm1
        spread[groups] = norm(features).std(dim=(2, 3)).std().item()
    assert spread[8] < 1e-3 < 0.1 < spread[1]


def test_saved_and_loaded_it_gives_the_same(tmp_path):
    model = Autoencoder(in_channels=1, out_channels=2, **SMALL).eval()
    save_autoencoder(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    image = torch.randn(1, 1, 32, 32)
    assert torch.equal(load_autoencoder(tmp_path)(image), model(image))


def test_same_seed_same_encoder_whatever_it_shall_paint():
    encoders = []
    for out_channels in (1, 2):
        torch.manual_seed(3)
        encoders.append(Autoencoder(1, out_channels, **SMALL))
    image = torch.randn(1, 1, 32, 32)
    assert torch.equal(encoders[0].encode(image), encoders[1].encode(image))


def test_folders_that_are_not_whole_are_refused(tmp_path):
    with pytest.raises(StageError, match=r"config\.json is missing"):
        load_autoencoder(tmp_path)
    save_autoencoder(Autoencoder(1, 2, **SMALL), tmp_path)

    weights = load_file(tmp_path / "model.safetensors")
    name = next(iter(weights))
    save_file({key: value for key, value in weights.items() if key != name}, tmp_path / "model.safetensors")
    with pytest.raises(StageError, match=name):
        load_autoencoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"half")
    with pytest.raises(StageError, match="does not hold a whole autoencoder"):
        load_autoencoder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(StageError, match="missing"):
        load_autoencoder(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"in_channels": 1}))
    with pytest.raises(StageError, match="must have the keys"):
        load_autoencoder(tmp_path)
