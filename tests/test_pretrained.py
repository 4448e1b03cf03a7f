"""The networks to take away: whole, small, described, and painting as they did when they were committed."""

import hashlib
import json
import re

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image

from docs import paintings
from stages.color.lab import decode_lab8, rgb_to_lab
from stages.formats.encoder import load_encoder
from stages.photographs.decoding import image_to_lab8
from tests.project import ROOT

PRETRAINED = ROOT / "pretrained"
NETWORKS = sorted(path.parent.name for path in PRETRAINED.glob("*/config.json"))
LARGEST = 6_000_000  # bytes


def test_an_encoder_and_a_painter_are_there():
    assert NETWORKS == ["colorization", "painter"]


@pytest.mark.parametrize("name", NETWORKS)
def test_its_files_are_those_that_were_released(name):
    """SHA256SUMS is what `sha256sum */model.safetensors` prints in pretrained/."""
    sums = dict(reversed(line.split("  ")) for line in (PRETRAINED / "SHA256SUMS").read_text().splitlines())
    weights = (PRETRAINED / name / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == sums[f"{name}/model.safetensors"]
    assert len(weights) <= LARGEST


@pytest.mark.parametrize("name", NETWORKS)
def test_its_card_says_what_a_user_must_know(name):
    card = ModelCard.load(PRETRAINED / name / "README.md")
    assert card.data.license == "mit"
    sections = re.findall(r"^## (.*)$", card.text, re.MULTILINE)
    assert {"Training", "Data", "Results", "Licence", "Limits", "Loading"} <= set(sections)
    assert f'from_pretrained("pretrained/{name}")' in card.text
    assert re.search(r"commit [0-9a-f]{7,40}", card.text)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_knows_the_size_of_its_images(name):
    config = json.loads((PRETRAINED / name / "config.json").read_text())
    assert config["image_size"] == 64


def test_the_painter_paints_as_it_did():
    """Within a level of JPEG and of another CPU's rounding: README's picture is the record."""
    recorded = np.asarray(Image.open(paintings.PICTURE)).astype(int)
    difference = np.abs(paintings.contact_sheet().astype(int) - recorded)
    assert difference.mean() < 2
    assert np.quantile(difference, 0.99) < 12


def test_coffee_is_painted_closer_to_the_truth_than_grey():
    coffee = paintings.photographs()[0]
    truth, painted = (
        rgb_to_lab(pixels.transpose(2, 0, 1).astype(np.float32) / 255)[1:]
        for pixels in (np.asarray(coffee), paintings.painted(coffee, PRETRAINED / "painter"))
    )
    assert np.square(painted - truth).mean() < 0.8 * np.square(truth).mean()
    assert np.hypot(*painted).mean() > 0.4 * np.hypot(*truth).mean()  # neither grey nor muted


def test_the_encoder_gives_features_of_a_photograph():
    model = load_encoder(PRETRAINED / "colorization")
    lab = decode_lab8(torch.from_numpy(image_to_lab8(paintings.photographs()[0].resize((64, 64)))[None]))
    with torch.inference_mode():
        layers = model.activations(lab)
    assert layers["mid"].shape == (1, 64, 16, 16)
    assert layers["latent"].shape == (1, 4, 16, 16)
    assert all(torch.isfinite(layer).all() for layer in layers.values())
