"""The straightforward way: what the original study did, written afresh.

Photographs are decoded by Pillow each time they are looked at, and twice a sample, once for lightness and once for
colour; resized in floating point; converted to Lab one by one with scikit-image; loaded by the training's own process;
everything in float32; the frozen encoder runs again in every epoch of every probe.
"""

import io

import lpips
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from skimage.color import rgb2lab
from torch.utils.data import DataLoader, Dataset

from stages.classifiers.network import build_conv_classifier
from stages.color.lab import lab_to_rgb
from stages.color.normalization import denormalize_ab, normalize_ab


def photograph_to_lab(content: bytes, size: int) -> np.ndarray:
    """(3, size, size) float32 Lab of a photograph's central square."""
    with Image.open(io.BytesIO(content)) as image:
        rgb = torch.from_numpy(np.asarray(image.convert("RGB"), np.float32) / 255).permute(2, 0, 1)
    side = min(rgb.shape[1:])
    top, left = (rgb.shape[1] - side) // 2, (rgb.shape[2] - side) // 2
    square = rgb[None, :, top : top + side, left : left + side]
    small = F.interpolate(square, size=(size, size), mode="bicubic", antialias=True).clip(0, 1)[0]
    return rgb2lab(small.permute(1, 2, 0).numpy()).transpose(2, 0, 1).astype(np.float32)


class Photographs(Dataset):
    """Lightness and colour of each photograph, decoded for each of the two."""

    def __init__(self, files: list[bytes], size: int, labels: np.ndarray | None = None):
        self.files, self.size = files, size
        self.labels = np.zeros(len(files), np.int64) if labels is None else labels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int):
        lightness = photograph_to_lab(self.files[number], self.size)[:1]
        colors = photograph_to_lab(self.files[number], self.size)[1:]
        return np.concatenate((lightness, colors)), self.labels[number]


def loader(files: list[bytes], size: int, batch_size: int, labels: np.ndarray | None = None) -> DataLoader:
    return DataLoader(Photographs(files, size, labels), batch_size, shuffle=True, num_workers=0)


def train_epoch(model, files: list[bytes], size: int, batch_size: int, metric: lpips.LPIPS, device) -> float:
    """One epoch of SmoothL1 + LPIPS with AdamW; the last loss."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    for lab, _ in loader(files, size, batch_size):
        lab = lab.to(device)
        output = model(lab)
        fake = torch.cat((lab[:, :1], denormalize_ab(output)), dim=1)
        loss = F.smooth_l1_loss(output, normalize_ab(lab))
        loss = loss + metric(lab_to_rgb(fake) * 2 - 1, lab_to_rgb(lab) * 2 - 1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last = loss.item()
    return last


@torch.no_grad()
def encode_all(model, files: list[bytes], size: int, batch_size: int, device) -> list[torch.Tensor]:
    return [model.encode(lab.to(device)).cpu() for lab, _ in loader(files, size, batch_size)]


def train_probes(
    model, files: list[bytes], labels: np.ndarray, size: int, *, runs: int, epochs: int, channels: list[int], device
) -> None:
    """`runs` conv probes (seeds x learning rates), one after the other, with the encoder in the loop."""
    for _ in range(runs):
        probe = build_conv_classifier(model.config["latent_channels"], channels, int(labels.max()) + 1).to(device)
        optimizer = torch.optim.AdamW(probe.parameters(), 3e-4)
        for _ in range(epochs):
            for lab, wanted in loader(files, size, 32, labels):
                with torch.no_grad():
                    latents = model.encode(lab.to(device))
                loss = F.cross_entropy(probe(latents), wanted.to(device))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                loss.item()
