import json

import numpy as np
import pytest
import torch

from stages.classifiers.conv import ConvProbe, conv_log_probabilities
from stages.classifiers.standardization import channel_stats, standardise
from stages.color.lab import encode_lab8, rgb_to_lab
from stages.pixels.features import pixel_features
from stages.pixels.saved_probe import open_probe, save_probes
from stages.probing.heads.conv import fit_conv_probe
from stages.runtime.errors import StageError
from tests.probing.settings import settings

CLASSES = {"in": ["blue", "green", "red"], "out": ["bread", "tart"]}
SETTINGS = settings(dropout=0.2, channels=[4, 6], epochs=12, precision="bfloat16")


@pytest.fixture
def lab8():
    """Pictures of three colours, as many of each."""
    rgb = np.random.default_rng(0).uniform(0, 0.6, size=(30, 3, 8, 8))
    rgb[np.arange(30), 2 - np.arange(30) % 3] += 0.4
    return encode_lab8(rgb_to_lab(rgb))


@pytest.fixture
def fitted(lab8):
    features = pixel_features(lab8, "rgb_small", stride=2, views=2)
    stats = channel_stats(features)
    train = standardise(features, stats)
    probes = {}
    for domain, classes in CLASSES.items():
        labels = np.arange(30) % len(classes)
        model, _ = fit_conv_probe(
            (train, labels),
            (train, labels),
            classes=len(classes),
            learning_rate=0.03,
            seed=(0, 0),
            settings=SETTINGS,
            device=torch.device("cpu"),
        )
        probes[domain] = ConvProbe(model, stats, classes)
    return probes


@pytest.fixture
def folder(fitted, tmp_path):
    save_probes(tmp_path, fitted, "rgb_small", 2, SETTINGS)
    return tmp_path


@pytest.mark.parametrize("domain", CLASSES)
def test_what_was_saved_predicts_as_before(folder, fitted, lab8, domain):
    probe = open_probe(folder, domain)
    features = pixel_features(lab8, "rgb_small", stride=2, views=1)
    expected = conv_log_probabilities(
        fitted[domain].model, standardise(features, fitted[domain].stats), SETTINGS.precision
    ).argmax(axis=1)
    assert probe.predict(features[:, 0]).tolist() == [CLASSES[domain][label] for label in expected]
    assert probe.predict_lab8(lab8).tolist() == probe.predict(features[:, 0]).tolist()
    assert probe.classes.tolist() == CLASSES[domain] and probe.representation == "rgb_small"


def test_it_tells_the_colours_apart(folder, lab8):
    assert open_probe(folder, "in").predict_lab8(lab8).tolist() == ["blue", "green", "red"] * 10


def test_the_same_probe_gives_the_same_bytes_and_no_pickle(folder, fitted, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    save_probes(again, fitted, "rgb_small", 2, SETTINGS)
    names = ["conv-in.safetensors", "conv-out.safetensors", "conv.json"]
    assert sorted(path.name for path in again.iterdir()) == names
    assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in names)


@pytest.mark.parametrize("name", ["conv.json", "conv-in.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(StageError, match=f"{name} is missing"):
        open_probe(folder, "in")
    with pytest.raises(StageError, match="is missing"):
        open_probe(folder / "nowhere", "in")


@pytest.mark.parametrize("length", [0, 7, 300])
@pytest.mark.parametrize("name", ["conv.json", "conv-in.safetensors"])
def test_a_file_that_is_cut_short_is_refused(folder, name, length):
    (folder / name).write_bytes((folder / name).read_bytes()[:length])
    with pytest.raises(StageError, match=r"conv\.json and conv-in\.safetensors are not a whole probe"):
        open_probe(folder, "in")


def change(config, **values):
    config.update(values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda config: config.pop("channels"), "keys must be"),
        (lambda config: change(config, extra=1), "keys must be"),
        (lambda config: change(config, channels=[4]), "Missing key|Unexpected key|size mismatch"),
        (lambda config: change(config, channels="4"), "TypeError"),
        (lambda config: config["domains"].pop("in"), "KeyError: 'in'"),
        (lambda config: change(config["domains"]["in"], classes=["a"]), "size mismatch"),
        (lambda config: change(config["domains"]["in"], mean=[0.0]), "must have 3 values each"),
        (lambda config: change(config["domains"]["in"], std=["x", 1, 1]), "could not convert"),
    ],
)
def test_a_config_that_does_not_fit_the_tensors_is_refused(folder, damage, message):
    config = json.loads((folder / "conv.json").read_text())
    damage(config)
    (folder / "conv.json").write_text(json.dumps(config))
    with pytest.raises(StageError, match=message):
        open_probe(folder, "in")


def test_a_config_that_is_no_object_is_refused(folder):
    (folder / "conv.json").write_text("[]")
    with pytest.raises(StageError, match="not a whole probe"):
        open_probe(folder, "in")
