"""A peer: the pipeline's network trained as a user of Hugging Face Accelerate would train it.

An Accelerate loop and a torchvision-style data set of JPEG files. Two worker processes decode, crop, mirror and convert
each photograph to Lab anew in every epoch. Network, losses, optimizer, batch size, gradient clipping, schedule and
precision are the pipeline's. It does not jitter lightness, validate, save checkpoints or look for non-finite losses.
"""

from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image
from skimage.color import rgb2lab
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from stages.compute.batches import Batch
from stages.compute.device import computes_bfloat16
from stages.training.objective import Objective
from stages.training.optimizers import build_optimizers, step_optimizers
from stages.training.settings import Settings, learning_rate_at

WORKERS = 2


class JpegFiles(Dataset):
    """Lab of JPEG files, (3, size, size) float32, their central square, mirrored at random.

    Args:
        mirrored: the share that is.
    """

    def __init__(self, paths: list[Path], size: int, mirrored: float = 0.5):
        self.paths = paths
        self.transform = v2.Compose(
            [
                v2.Resize(size, v2.InterpolationMode.BICUBIC),
                v2.CenterCrop(size),
                v2.RandomHorizontalFlip(mirrored),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> np.ndarray:
        with Image.open(self.paths[number]) as image:
            rgb = self.transform(image.convert("RGB"))
        return rgb2lab(rgb).transpose(2, 0, 1).astype(np.float32)


def train(
    model: torch.nn.Module, objective: Objective, paths: list[Path], size: int, settings: Settings, used: torch.device
) -> list[float]:
    """Train for `settings.epochs`; the mean loss of each."""
    half = settings.precision == "bfloat16" and computes_bfloat16(used.type)
    accelerator = Accelerator(cpu=used.type == "cpu", mixed_precision="bf16" if half else "no")
    loader = DataLoader(
        JpegFiles(paths, size),
        settings.batch_size,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
        pin_memory=used.type == "cuda",
    )
    model, loader = accelerator.prepare(model, loader)
    # Not prepared: with one process and no gradient scaler that changes nothing, and Muon's step takes no closure.
    optimizers = build_optimizers(model, settings.optimizer, settings.learning_rate, settings.weight_decay)
    steps, step, means = settings.epochs * len(loader), 0, []
    model.train()
    for _ in range(settings.epochs):
        total = torch.zeros((), device=accelerator.device)
        for lab in loader:
            with accelerator.autocast():
                loss = objective.losses(model(lab), Batch(lab, lab))["loss"]
            model.zero_grad(set_to_none=True)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            step_optimizers(optimizers, learning_rate_at(step, steps, settings.learning_rate, settings.warmup_fraction))
            total += loss.detach() * len(lab)
            step += 1
        means.append(total.item() / len(paths))
    return means
