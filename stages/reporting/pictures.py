"""Painted pictures as data URIs that fit into the report, each with words that say what it shows."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from stages.reporting.numbers import fixed
from stages.study.vocabulary import DOMAINS

SHOWN = 8
BUDGET = 1_200_000  # bytes of all pictures together in base64: the whole report stays below 2 MB
KINDS = {
    "": "The same dishes in every run",
    "_best": "Best: the smallest LPIPS",
    "_typical": "Typical: LPIPS nearest to the median",
    "_worst": "Worst: the largest LPIPS",
}
# PNG keeps every pixel. Where that is too much: JPEG, its colour at full resolution (subsampling 0), then smaller.
ENCODINGS = [(1, None), (1, 92), (1, 80), (2, 85), (2, 70), (4, 70), (8, 60)]


@dataclass(frozen=True)
class Picture:
    """Size in pixels of the picture as it is embedded."""

    caption: str
    alternative: str
    uri: str
    width: int
    height: int


def embedded_pictures(
    folder: str | Path, scores: dict[str, pd.DataFrame], painters: list[str]
) -> dict[str, dict[str, list[Picture]]]:
    """The pictures of <folder>/<painter>/, by painter and domain, in the best quality that fits `BUDGET`.

    What is not there is left out. Same files, same bytes.

    Args:
        scores: painter -> image, domain, lpips, psnr of its test images; says what the pictures show.
    """
    names = [(painter, domain, kind) for painter in painters for domain in DOMAINS for kind in KINDS]
    paths = {key: Path(folder, key[0], f"{DOMAINS[key[1]].key}{key[2]}.png") for key in names}
    images = {key: unenlarged(Image.open(path).convert("RGB")) for key, path in paths.items() if path.exists()}
    uris, shrink = _smallest_loss(list(images.values()))
    pictures: dict[str, dict[str, list[Picture]]] = {}
    for (painter, domain, kind), uri in zip(images, uris, strict=True):
        image = images[painter, domain, kind]
        caption, alternative = _words(painter, domain, kind, scores.get(painter))
        picture = Picture(caption, alternative, uri, -(-image.width // shrink), -(-image.height // shrink))
        pictures.setdefault(painter, {}).setdefault(domain, []).append(picture)
    return pictures


def unenlarged(image: Image.Image) -> Image.Image:
    """The image before each of its pixels was repeated 4 or 2 times an axis, or itself where none were."""
    pixels = np.asarray(image)
    for factor in (4, 2):
        small = pixels[::factor, ::factor]
        if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), pixels):
            return Image.fromarray(small)
    return image


def _smallest_loss(images: list[Image.Image]) -> tuple[list[str], int]:
    """Data URIs in the first of `ENCODINGS` that fits, or else in the last, and by how much they were shrunk."""
    for shrink, quality in ENCODINGS:
        uris, total = [], 0
        for image in images:
            uris.append(_data_uri(image, shrink, quality))
            total += len(uris[-1])
            if total > BUDGET and (shrink, quality) != ENCODINGS[-1]:
                break
        else:
            break
    return uris, shrink


def _data_uri(image: Image.Image, shrink: int, quality: int | None) -> str:
    image = image.reduce(shrink) if shrink > 1 else image
    target = io.BytesIO()
    if quality is None:
        image.save(target, "PNG", optimize=True)
    else:
        image.save(target, "JPEG", quality=quality, subsampling=0, optimize=True)
    kind = "png" if quality is None else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(target.getvalue()).decode()}"


def _words(painter: str, domain: str, kind: str, scores: pd.DataFrame | None) -> tuple[str, str]:
    """Caption and text alternative."""
    rows = f"Dishes of {DOMAINS[domain].phrase} in three rows: lightness, the truth, and as {painter} painted them."
    tested = pd.DataFrame() if scores is None else scores[scores["domain"] == domain]
    if tested.empty:
        return f"{KINDS[kind]}.", f"{rows} {KINDS[kind]}."
    lpips, psnr = tested["lpips"].to_numpy(), tested["psnr"].to_numpy()
    spread = f"over all {len(tested)} test images LPIPS is {np.median(lpips):.3f} in the median"
    spread += f", PSNR {fixed(psnr.mean(), 1)} dB in the mean"
    if not kind:
        return f"{KINDS[kind]}; {spread}.", f"{rows} {spread[0].upper()}{spread[1:]}."
    distance = {"_best": lpips, "_typical": np.abs(lpips - np.median(lpips)), "_worst": -lpips}[kind]
    picked = tested.iloc[np.argsort(distance, kind="stable")[:SHOWN]].sort_values("lpips")
    reach = f"{picked['lpips'].min():.3f} to {picked['lpips'].max():.3f}"
    dishes = ", ".join(
        f"{image.split('/')[0].replace('_', ' ')} ({value:.3f})"
        for image, value in zip(picked["image"], picked["lpips"], strict=True)
    )
    return f"{KINDS[kind]}, {reach}.", f"{rows} {KINDS[kind]}, {reach}; from left to right: {dishes}."
