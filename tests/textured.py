"""Pictures whose answer is known: what colour has to teach about lightness is put in by hand.

A class is a texture: the product of a wave across and a wave down, each of one of three frequencies. A picture's
brightness, contrast, phases, shading and grain are its own, whatever its class. Its colour is one a and b all over.
How the two are paired makes two worlds, with the same lightness planes and the same colours in both:
- taught: across decides a, down decides b, so that colour is a function of texture;
- not: the colours are dealt out to the pictures at random, so that colour is independent of lightness.
"""

import io
import itertools
from pathlib import Path

import numpy as np
from PIL import Image

from stages.color.lab import lab_to_rgb
from tests.archives import packed

SIZE = 32  # pixels along an edge
FREQUENCIES = (0.07, 0.16, 0.3)  # cycles a pixel
CLASSES = {f"texture_{across}{down}": (across, down) for across, down in itertools.product(range(3), repeat=2)}
CHROMA = 16.0  # from one frequency to the next, in units of a and b; with L in 35..80 all of it is sRGB


# A study of such archives in which every stage does its work in a minute or two.
STUDY = {
    "data": {"source": "food101", "md5": None, "images_per_class": None},
    "lab": {"image_size": SIZE},
    "model": {"block_out_channels": [8, 8, 16], "layers_per_block": 1, "norm_num_groups": 4},
    # The absolute error stays at grey until the texture is sure; the squared error moves towards the mean at once.
    "loss": {"pixel": "l2", "lpips_weight": 0.0},
    "train": {"batch_size": 16, "learning_rate": 4e-3, "precision": "float32"},
    "latents": {"layers": ["latent"]},
    "probe": {
        "seeds": 4,
        "batch_size": 8,
        "channels": [16, 32],
        "learning_rates": [3e-3],
        "precision": "float32",
        "linear_c": [0.1],
        "knn_k": [5],
        "shots": [],
        "draws": 1,
        "ridge_alphas": [100.0],
    },
    "finetune": {"representations": {"pixels": [], "latents": []}},
    "compare": {"primary": {"layer": "latent"}, "resamples": 2000},
}


def write_archive(
    path: Path,
    *,
    train: int,
    test: int,
    taught: bool,
    seed: int,
    classes: dict[str, tuple[int, int]] = CLASSES,
) -> None:
    """Write an archive laid out as food-101.tar.gz is: classes of `train` and `test` pictures of 32 x 32 px.

    Args:
        classes: by name, the numbers of a texture's frequencies across and down.
    """
    rng = np.random.default_rng(seed)
    labels = [label for label in classes for _ in range(train + test)]
    lightness = [draw_lightness(classes[label], rng) for label in labels]
    colors = CHROMA * (np.array([classes[label] for label in labels]) - 1.0)
    if not taught:
        colors = rng.permutation(colors)

    files = {"meta/classes.txt": "\n".join(classes).encode()}
    names = [f"{label}/{number % (train + test)}" for number, label in enumerate(labels)]
    for part, own in (("train", range(train)), ("test", range(train, train + test))):
        listed = [name for number, name in enumerate(names) if number % (train + test) in own]
        files[f"meta/{part}.txt"] = "\n".join(listed).encode()
    for name, plane, color in zip(names, lightness, colors, strict=True):
        files[f"images/{name}.jpg"] = _jpeg(plane, color)
    Path(path).write_bytes(packed(files))


def draw_lightness(texture: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(32, 32) float64, L of a picture."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    across, down = (SIZE * FREQUENCIES[number] * rng.uniform(0.92, 1.08) for number in texture)
    phases = rng.uniform(0, 1, 2)
    waves = np.cos(2 * np.pi * (across * x + phases[0])) * np.cos(2 * np.pi * (down * y + phases[1]))
    shading = rng.normal(0, 8, 2) @ np.stack([x - 0.5, y - 0.5]).reshape(2, -1)
    grain = rng.normal(0, 1.5, (SIZE, SIZE))
    plane = rng.uniform(50, 64) + rng.uniform(2.5, 7) * waves / waves.std() + shading.reshape(SIZE, SIZE) + grain
    return plane.clip(35, 80)


def _jpeg(lightness: np.ndarray, color: np.ndarray) -> bytes:
    lab = np.concatenate([lightness[None], np.broadcast_to(color[:, None, None], (2, SIZE, SIZE))])
    rgb = lab_to_rgb(lab[None])[0].transpose(1, 2, 0)
    buffer = io.BytesIO()
    Image.fromarray(np.rint(255 * rgb.clip(0, 1)).astype(np.uint8)).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
