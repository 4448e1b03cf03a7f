"""The README's picture, docs/painted.jpg: photographs of scikit-image (CC0) painted by pretrained/painter.

`python -m docs.paintings` draws it anew; tests/test_pretrained.py compares it with what the network paints.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data

from stages.color.lab import lab_to_rgb, rgb_to_lab
from stages.colorize import PAINTER, TEMPERATURE
from stages.colorizing.bands import Whole
from stages.colorizing.full_resolution import paint_photograph
from stages.formats.encoder import load_encoder

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/painted.jpg"
HEIGHT = 220  # of a photograph, in pixels
PADDING = ((0, 6), (0, 6), (0, 0))  # white, below and to the right


def main() -> None:
    Image.fromarray(contact_sheet()).save(PICTURE, quality=92, subsampling=0)


def photographs() -> list[Image.Image]:
    """A cup of coffee and a cat: one of the kind that the network was trained on, one that is not."""
    images = (Image.fromarray(pixels) for pixels in (data.coffee(), data.chelsea()))
    return [
        image.resize((round(image.width * HEIGHT / image.height), HEIGHT), Image.Resampling.LANCZOS) for image in images
    ]


def painted(photograph: Image.Image, folder: Path) -> np.ndarray:
    """The photograph as `python -m stages.colorize` paints it with the network of `folder`: (H, W, 3) uint8 sRGB."""
    model = load_encoder(folder)
    image = paint_photograph(
        Whole(photograph),
        paint=lambda lab: model.predict_ab(lab, TEMPERATURE),
        image_size=model.image_size,
        stride=model.latent_stride,
        device=torch.device("cpu"),
    )
    return np.asarray(image)


def contact_sheet() -> np.ndarray:
    """A row for each photograph: lightness, painted, truth; (H, W, 3) uint8 sRGB on white."""
    rows = []
    for photograph in photographs():
        truth = np.asarray(photograph)
        rows.append(
            np.hstack(
                [
                    np.pad(each, PADDING, constant_values=255)
                    for each in (lightness(truth), painted(photograph, ROOT / PAINTER), truth)
                ]
            )
        )
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows])


def lightness(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB without its colours: a = b = 0."""
    lab = rgb_to_lab(rgb.transpose(2, 0, 1).astype(np.float32) / 255)
    lab[1:] = 0
    return np.rint(lab_to_rgb(lab).clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


if __name__ == "__main__":
    main()
