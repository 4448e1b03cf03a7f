"""Which images the autoencoder sees, and which label-efficient probes are trained, chosen and tested on.

Counts are rounded half up, on the fractions' decimal digits as written in params.yaml: 0.15 of 750 is
112.5, hence 113.
"""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from stages.dataset.manifest import ManifestRow
from stages.food101.archive import Meta
from stages.runtime.errors import StageError

# What a random draw is for: first word of its spawn key, so that no two draws share a stream.
HELD_OUT, TRAIN, TEST = range(3)


def split_images(
    meta: Meta,
    seed: int,
    held_out_classes: int,
    probe_fraction: float,
    validation_fraction: float,
    images_per_class: int | None = None,
) -> list[ManifestRow]:
    """Give every image its domain and its subset; rows are sorted by image.

    Classes: `held_out_classes` of them, drawn without replacement, are domain `out`, the rest `in`.

    Images: with `images_per_class`, a random part of each class is kept, training to test images as in
    the official lists; test images are rounded, training images are the rest. The kept test images are
    `test`. Of the kept training images of a class, `probe_fraction` are `probe`, `validation_fraction` are
    `validation` (each rounded, at least 1), the rest are `pretrain` or, in domain `out`, `unused`.

    A class's images are drawn independently of the other classes, and neither fraction changes whom the
    other one chooses.

    Raises:
        StageError: when fewer than 2 classes would be left to see, when a class has fewer images than
            `images_per_class`, or too few training images to leave one beside `probe` and `validation`.
    """
    if held_out_classes > len(meta.classes) - 2:
        raise StageError(
            f"split.held_out_classes must be at most {len(meta.classes) - 2}, as the archive has {len(meta.classes)} "
            f"classes and the autoencoder must see at least two; got {held_out_classes}"
        )
    names = sorted(meta.classes)
    held_out = set(_generator(seed, HELD_OUT).choice(names, held_out_classes, replace=False).tolist())
    rows = []
    for label in names:
        train = _shuffled(meta.train[label], _generator(seed, TRAIN, label))
        test = _shuffled(meta.test[label], _generator(seed, TEST, label))
        if images_per_class is not None:
            kept = _kept_tests(label, len(train), len(test), images_per_class)
            train, test = train[: images_per_class - kept], test[:kept]
        probe = max(1, _rounded(probe_fraction, len(train)))
        validation = max(1, _rounded(validation_fraction, len(train)))
        rest = len(train) - probe - validation
        if rest < 1:
            raise StageError(
                f"{label} has {len(train)} training images, which split.probe_fraction {probe_fraction} and "
                f"split.validation_fraction {validation_fraction} use up ({probe} and {validation}); "
                "lower them, or raise data.images_per_class"
            )
        domain, remainder = ("out", "unused") if label in held_out else ("in", "pretrain")
        # Probe from the front, validation from the back: the rest between gives way to either.
        subsets = ["probe"] * probe + [remainder] * rest + ["validation"] * validation + ["test"] * len(test)
        for image, subset in zip(train + test, subsets, strict=True):
            rows.append(ManifestRow(image, label, domain, subset))
    return sorted(rows)


def _kept_tests(label: str, train: int, test: int, images_per_class: int) -> int:
    """How many test images to keep of a class, so that training to test images stay in proportion."""
    if images_per_class > train + test:
        raise StageError(
            f"data.images_per_class must be at most {train + test}, the number of images of {label}; "
            f"got {images_per_class}"
        )
    # Half up in whole numbers: floor(n * test / (train + test) + 1/2). At least one of either part.
    kept = (2 * images_per_class * test + train + test) // (2 * (train + test))
    return min(max(1, kept), test, images_per_class - 1)


def _rounded(fraction: float, count: int) -> int:
    return int((Decimal(repr(fraction)) * count).to_integral_value(ROUND_HALF_UP))


def _shuffled(images: list[str], rng: np.random.Generator) -> list[str]:
    # Sorted first: the order of the archive's lists has no say.
    return rng.permutation(sorted(images)).tolist()


def _generator(seed: int, purpose: int, label: str = "") -> np.random.Generator:
    """A stream of its own for every purpose and class."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *label.encode())))
