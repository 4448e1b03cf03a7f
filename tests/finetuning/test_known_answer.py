"""Pictures whose colour is a function of their texture (tests/textured.py): predicting colour teaches textures.

Training from scratch learns the textures where labels are many. Fine-tuning an encoder that predicts colour does with
one label a class what takes it several.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits

from stages.classifiers.domains import draw_images
from stages.color.lab import decode_lab8
from stages.comparison.labels_saved import labels_to_reach
from stages.finetuning.network import pooled_stats
from stages.finetuning.training import Start, finetune, log_probabilities
from stages.models.autoencoder import Autoencoder
from stages.runtime.params import load_params
from tests.project import ROOT
from tests.textured import CHROMA, CLASSES, draw_lightness

SIZE = 16  # pixels of the corner that is cut out: a quarter of the work
SHOTS = (1, 4, 20)
SETTINGS = {"steps": 40, "batch_size": 16, "precision": "float32"}


@pytest.fixture(scope="module")
def accuracies() -> dict[str, list[float]]:
    """Test accuracy with each of `SHOTS`, fine-tuned from untrained weights and from those that predict colour."""
    with threadpool_limits(1):
        rng = np.random.default_rng(0)
        pretrain, probe, test = (draw_world(images, rng) for images in (60, max(SHOTS), 30))
        encoders = {"scratch": build_encoder(1), "pretrained": pretrained_encoder(*pretrain)}
        return {name: [accuracy(encoder, probe, test, shots) for shots in SHOTS] for name, encoder in encoders.items()}


def draw_world(images: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`images` pictures of each class, (N, 3, 16, 16) uint8 Lab, and their labels."""
    textures, labels = list(CLASSES.values()), np.repeat(np.arange(len(CLASSES)), images)
    lab = np.empty((len(labels), 3, SIZE, SIZE))
    for picture, label in zip(lab, labels, strict=True):
        picture[0] = 2.55 * draw_lightness(textures[label], rng)[:SIZE, :SIZE]
        picture[1:] = 128 + CHROMA * (np.array(textures[label]) - 1.0)[:, None, None]
    return np.rint(lab).astype(np.uint8), labels


def build_encoder(seed: int) -> Autoencoder:
    torch.manual_seed(seed)
    return Autoencoder("lightness", 2, [8, 16], 1, 4, 4, output_stride=2).eval()


def pretrained_encoder(lab8: np.ndarray, _) -> Autoencoder:
    """Trained to predict the mean colour of a picture; the labels are not used."""
    model, images = build_encoder(0), torch.from_numpy(lab8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=200)
    draws = torch.Generator().manual_seed(0)
    for _ in range(200):
        lab = decode_lab8(images[torch.randint(len(images), (16,), generator=draws)])
        loss = F.mse_loss(model(lab).mean((2, 3)), lab[:, 1:].mean((2, 3)) / CHROMA)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


def accuracy(encoder: Autoencoder, probe, test, shots: int) -> float:
    settings = load_params(ROOT / "profiles/sample.yaml").finetune.model_copy(update=SETTINGS)
    images, labels = map(torch.from_numpy, probe)
    rows = torch.from_numpy(draw_images(probe[1], shots, (0, shots)))
    start = Start(encoder, pooled_stats(encoder, images, "float32"))
    model = finetune(
        start, images[rows], labels[rows], classes=len(CLASSES), learning_rate=1e-3, seed=(0,), settings=settings
    )
    return (log_probabilities(model, test[0], "float32").argmax(axis=1) == test[1]).mean()


def test_from_scratch_it_learns_where_labels_are_many(accuracies):
    few, _, many = accuracies["scratch"]
    assert many > 0.8 and many > few + 0.25


def test_pretraining_saves_labels_where_they_are_few(accuracies):
    scratch, pretrained = (np.array(accuracies[name]) for name in ("scratch", "pretrained"))
    assert pretrained[0] > scratch[0] + 0.2
    (needed,) = labels_to_reach(pretrained[:1], scratch[None], np.array(SHOTS))
    assert needed > 2 * SHOTS[0]
    assert pretrained[-1] - scratch[-1] < pretrained[0] - scratch[0]
