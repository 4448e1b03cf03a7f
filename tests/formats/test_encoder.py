"""Encoders as folders: what is saved is loaded, by the class or by the folder alone, and what is damaged is refused."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from stages.formats.encoder import load_encoder
from stages.models.autoencoder import Autoencoder
from stages.models.card import training_section
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError

SMALL = dict(block_out_channels=[8, 8, 8], layers_per_block=1, latent_channels=4, norm_num_groups=4)
FILES = ["README.md", "config.json", "model.safetensors"]
TRAINING = training_section(
    "colorization",
    "train_autoencoder",
    "Trained to predict a and b.",
    {"seed": 3, "model": {"block_out_channels": [8, 8, 8]}, "train": {"weight_decay": 2e-5}},
    {"loss": {"pixel": "l2"}, "bins": [[0.0, 10.0]] * 300},
    seed_number=1,
)


def encoder(kind: str) -> Autoencoder | SplitBrain:
    torch.manual_seed(0)
    if kind == "split_brain":
        return SplitBrain(*(Autoencoder(channels, 2, [4, 4, 4], 1, 2, 4) for channels in ("lightness", "ab"))).eval()
    if kind == "offset":
        axes = {"lightness": [[0.0, 25.0, 5]], "ab": [[-150.0, 50.0, 7]] * 2}
        halves = [Autoencoder(channels, 2, [4, 4, 4], 1, 2, 4, offset_axes=axes[channels]) for channels in axes]
        for half in halves:
            half.offset.rows.normal_()
        return SplitBrain(*halves).eval()
    model = Autoencoder("lightness", 2, **SMALL, bins=2 if kind == "classification" else 0)
    if kind == "classification":
        model.bins.copy_(torch.tensor([[-40.0, 10], [40, 10]]))
    return model.eval()


def saved(folder: Path, kind: str = "regression", card: dict | None = None) -> Path:
    model = encoder(kind)
    model.image_size = 32
    model.save_pretrained(folder, model_card_kwargs=card)
    return folder


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("kind", ["regression", "classification", "split_brain", "offset"])
def test_saved_and_loaded_it_gives_the_same_without_a_network_or_a_message(tmp_path, kind, no_network, capfd):
    saved(tmp_path / "encoder", kind)
    assert sorted(path.name for path in (tmp_path / "encoder").iterdir()) == FILES
    lab = torch.rand(2, 3, 32, 32) * 60
    model = encoder(kind)
    for loaded in (load_encoder(tmp_path / "encoder"), type(model).from_pretrained(tmp_path / "encoder")):
        assert type(loaded) is type(model)
        assert not loaded.training
        assert torch.equal(loaded.encode(lab), model.encode(lab))
        assert all(
            torch.equal(*pair) for pair in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True)
        )
        assert torch.equal(loaded.predict_ab(lab, 0.38), model.predict_ab(lab, 0.38))
        assert loaded.image_size == 32
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["regression", "split_brain", "offset"])
def test_the_same_encoder_is_the_same_bytes_wherever_it_lies(tmp_path, kind):
    first = saved(tmp_path / "first", kind, TRAINING)
    load_encoder(first).save_pretrained(tmp_path / "second")
    for name in FILES:
        assert (tmp_path / "second" / name).read_bytes() == (first / name).read_bytes()


def test_the_config_is_the_arguments_of_the_class(tmp_path):
    config = json.loads((saved(tmp_path) / "config.json").read_text())
    assert config == SMALL | {
        "bins": 0,
        "offset_axes": None,
        "image_size": 32,
        "input_channels": "lightness",
        "out_channels": 2,
        "output_stride": 1,
    }
    assert list(config) == sorted(config)


def test_the_card_says_what_made_the_encoder_and_how_to_load_it(tmp_path):
    card = ModelCard((saved(tmp_path, card=TRAINING) / "README.md").read_text())
    assert "$ dvc repro train_autoencoder@colorization\n" in card.text
    assert "Trained to predict a and b." in card.text
    assert "encoder 1 of `pretext.seeds`" in card.text
    assert 'Autoencoder.from_pretrained("data/encoders/colorization/seed_1")' in card.text
    parameters, settings = (block.split("```")[0] for block in card.text.split("```yaml\n")[1:])
    assert yaml.safe_load(parameters) == {
        "seed": 3,
        "model": {"block_out_channels": [8, 8, 8]},
        "train": {"weight_decay": 2e-5},
    }
    assert yaml.safe_load(settings) == {"loss": {"pixel": "l2"}}
    assert card.data.library_name == "pytorch"


def test_the_cards_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in ("regression", "split_brain"):
        text = (
            saved(Path(f"data/encoders/{kind}"), kind, {"folder": f"data/encoders/{kind}"}) / "README.md"
        ).read_text()
        code = text.split("```python\n")[1].split("```")[0]
        names = {"lab": torch.rand(1, 3, 16, 16)}
        exec(code, names)
        assert names["ab"].shape == (1, 2, 16, 16)
        assert torch.equal(names["layers"]["latent"], names["latents"])


def test_an_encoder_that_was_never_trained_has_a_card_without_a_training(tmp_path):
    text = (saved(tmp_path) / "README.md").read_text()
    assert "## Training" not in text
    assert "None" not in text


def test_the_hub_is_given_the_folder_with_its_card(tmp_path, monkeypatch):
    uploaded = {}

    class Hub:
        def __init__(self, token):
            pass

        def create_repo(self, repo_id, **options):
            return type("Repository", (), {"repo_id": repo_id})

        def upload_folder(self, folder_path, **options):
            uploaded.update({path.name: path.read_bytes() for path in Path(folder_path).iterdir()})

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Hub)
    folder = saved(tmp_path, card=TRAINING)
    Autoencoder.from_pretrained(folder).push_to_hub("someone/encoder")
    assert uploaded == {path.name: path.read_bytes() for path in folder.iterdir()}


def change_tensors(folder: Path, change: str) -> str:
    """Change one tensor; return its name."""
    tensors = load_file(folder / "model.safetensors")
    name = sorted(tensors)[0]
    match change:
        case "missing":
            del tensors[name]
        case "unexpected":
            name = "head.weight"
            tensors[name] = torch.zeros(3)
        case "misshapen":
            tensors[name] = torch.zeros(*tensors[name].shape, 2)
    save_file(tensors, folder / "model.safetensors")
    return name


@pytest.mark.parametrize("kind", ["regression", "split_brain"])
@pytest.mark.parametrize("change", ["missing", "unexpected", "misshapen"])
def test_other_tensors_are_refused_by_name(tmp_path, kind, change):
    name = change_tensors(saved(tmp_path, kind), change)
    with pytest.raises(StageError, match=rf"does not hold a whole encoder(.|\n)*{name}"):
        load_encoder(tmp_path)
    with pytest.raises(RuntimeError, match=name):
        type(encoder(kind)).from_pretrained(tmp_path)


def test_a_cut_file_of_weights_is_refused(tmp_path):
    file = saved(tmp_path) / "model.safetensors"
    for content in (b"half", file.read_bytes()[:-7]):
        file.write_bytes(content)
        with pytest.raises(StageError, match="does not hold a whole encoder"):
            load_encoder(tmp_path)


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("regression", {"bins": None}, "must have the keys"),
        ("regression", {"sees": "lightness"}, "must have the keys"),
        ("regression", {"input_channels": "red"}, "red"),
        ("regression", {"latent_channels": "4"}, "does not hold a whole encoder"),
        ("regression", {"image_size": "large"}, "image_size must be a number of pixels; got large"),
        ("regression", {"offset_axes": [[0.0, 25.0]]}, "does not hold a whole encoder"),
        ("regression", {"offset_axes": [[0.0, 25.0, 5]]}, "offset.rows"),
        ("split_brain", {"lightness_from_ab": None}, "must have the keys"),
        ("split_brain", {"lightness_from_ab": {"input_channels": "ab"}}, "out_channels"),
        ("split_brain", {"lightness_from_ab": 7}, "does not hold a whole encoder"),
    ],
)
def test_another_config_is_refused(tmp_path, kind, change, words):
    file = saved(tmp_path, kind) / "config.json"
    config = json.loads(file.read_text()) | change
    file.write_text(json.dumps({key: value for key, value in config.items() if change.get(key, key) is not None}))
    with pytest.raises(StageError, match=words):
        load_encoder(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"image_size": 32'])
def test_a_config_that_is_none_is_refused(tmp_path, content):
    (saved(tmp_path) / "config.json").write_text(content)
    with pytest.raises(StageError, match="does not hold a whole encoder"):
        load_encoder(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named_with_its_remedy(tmp_path, name, no_network):
    (saved(tmp_path) / name).unlink()
    with pytest.raises(StageError, match=rf"{name} is missing.*dvc checkout"):
        load_encoder(tmp_path)


def test_a_folder_that_is_not_there_is_no_name_of_the_hub(tmp_path, monkeypatch, no_network):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StageError, match=r"someone/encoder/config\.json is missing"):
        load_encoder("someone/encoder")


def test_a_pickle_is_never_read(tmp_path):
    folder = saved(tmp_path)
    shutil.copy(folder / "model.safetensors", folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(StageError, match=r"model\.safetensors is missing"):
        load_encoder(folder)
    with pytest.raises(FileNotFoundError):
        Autoencoder.from_pretrained(folder)
