"""The split: which images the autoencoder is trained on, and which the probes are trained, selected and tested on.

Counts are rounded half up in decimal arithmetic, on the fractions' digits as written in params.yaml: 0.15 of 750 is
112.5, hence 113.
"""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from stages.dataset.manifest import ManifestRow
from stages.food101.archive import Meta
from stages.runtime.errors import StageError

# What a random draw is for. It is the first word of the spawn key, so that no two draws share a stream.
HELD_OUT, TRAIN, TEST, MATCHED = range(4)


def split_images(
    meta: Meta,
    seed: int,
    held_out_classes: int,
    probe_fraction: float,
    validation_fraction: float,
    images_per_class: int | None = None,
) -> list[ManifestRow]:
    """Assign a domain and a subset to every image.

    Classes: `held_out_classes` of them, drawn without replacement, are in domain `out`, the others in `in`. Of these as
    many, drawn without replacement, are `matched`; none where there are fewer. That changes nothing else of them.

    Images: with `images_per_class`, a random sample of each class is kept, in the official ratio of training to test
    images (the number of test images is rounded). The kept test images are `test`. Of the kept training images of a
    class, `probe_fraction` are `probe` and `validation_fraction` are `validation` (each rounded, at least 1). The rest
    are `pretrain` or, in domain `out`, `unused`.

    The draw of a class is independent of the other classes. A change of one fraction does not change which images the
    other selects.

    Args:
        meta: the official split.
        seed: of all draws.
        held_out_classes: at most two less than there are classes.
        probe_fraction: of a class's training images, in (0, 1).
        validation_fraction: likewise.
        images_per_class: at most as many as the smallest class has; None: all.

    Returns:
        One row per image that is kept, sorted by image.

    Raises:
        StageError: when fewer than 2 classes would be left in domain `in`, or when a class has fewer images than
            `images_per_class` or too few training images to leave one beside `probe` and `validation`.
    """
    if held_out_classes > len(meta.classes) - 2:
        raise StageError(
            f"split.held_out_classes must be at most {len(meta.classes) - 2}, as the archive has {len(meta.classes)} "
            f"classes and the autoencoder must see at least two; got {held_out_classes}"
        )
    names = sorted(meta.classes)
    held_out = set(_generator(seed, HELD_OUT).choice(names, held_out_classes, replace=False).tolist())
    seen = [name for name in names if name not in held_out]
    matched = set()
    if len(seen) >= held_out_classes:
        matched = set(_generator(seed, MATCHED).choice(seen, held_out_classes, replace=False).tolist())
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
        # Probe from the front, validation from the back: a larger fraction takes images from the rest in between only.
        subsets = ["probe"] * probe + [remainder] * rest + ["validation"] * validation + ["test"] * len(test)
        for image, subset in zip(train + test, subsets, strict=True):
            rows.append(ManifestRow(image, label, domain, subset, str(int(label in matched))))
    return sorted(rows)


def _kept_tests(label: str, train: int, test: int, images_per_class: int) -> int:
    """The number of test images to keep of a class, in the official ratio of training to test images."""
    if images_per_class > train + test:
        raise StageError(
            f"data.images_per_class must be at most {train + test}, the number of images of {label}; "
            f"got {images_per_class}"
        )
    # Rounded half up in integers: floor(n * test / (train + test) + 1/2). At least one image of either part.
    kept = (2 * images_per_class * test + train + test) // (2 * (train + test))
    return min(max(1, kept), test, images_per_class - 1)


def _rounded(fraction: float, count: int) -> int:
    return int((Decimal(repr(fraction)) * count).to_integral_value(ROUND_HALF_UP))


def _shuffled(images: list[str], rng: np.random.Generator) -> list[str]:
    # Sorted first, so that the order of the archive's lists does not matter.
    return rng.permutation(sorted(images)).tolist()


def _generator(seed: int, purpose: int, label: str = "") -> np.random.Generator:
    """An independent stream for each purpose and class."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *label.encode())))
