"""Photographs to measure with: drawn dishes at Food-101's size, as JPEG files in its archive's layout."""

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from stages.source.dishes import DISHES
from stages.source.drawing import draw_dish

EDGE, QUALITY, GRAIN = 512, 88, 6.0


def draw_photographs(count: int, seed: int = 0) -> list[bytes]:
    """JPEG files, the longest side 512 px, with a film's grain: about 80 kB each, as much to decode as a photograph."""
    rng, files = np.random.default_rng(seed), []
    for number in range(count):
        small = Image.fromarray(draw_dish(DISHES[number % len(DISHES)], rng))
        large = small.resize([EDGE * side // max(small.size) for side in small.size], Image.Resampling.BICUBIC)
        grainy = np.asarray(large, np.float32) + GRAIN * rng.standard_normal((*large.size[::-1], 1), dtype=np.float32)
        file = io.BytesIO()
        Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
        files.append(file.getvalue())
    return files


def write_archive(path: Path, files: list[bytes]) -> None:
    """Two classes, half of each class's photographs for training: enough for the stages to read it."""
    names = [f"class_{number % 2}/{number:06}" for number in range(len(files))]
    lists = {"train": names[: len(names) // 2], "test": names[len(names) // 2 :], "classes": ["class_0", "class_1"]}
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        members = [(f"meta/{name}.txt", "\n".join(lines).encode()) for name, lines in lists.items()]
        members += [(f"images/{name}.jpg", content) for name, content in zip(names, files, strict=True)]
        for name, content in members:
            member = tarfile.TarInfo(f"food-101/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
