"""The images that an encoder is trained on, and those that its epoch is chosen on."""

import numpy as np
from pandas import DataFrame

from stages.dataset.arrays import SelectedRows, SubstitutedRows, open_lab8, open_rows
from stages.dataset.manifest import (
    SUBSETS,
    SWAPPED,
    domain_classes,
    domain_labels,
    in_task,
    read_manifest,
    subset_rows,
)
from stages.training.images import Images
from stages.training.online_probe import LabelledRows


def unlabelled_images() -> tuple[Images, Images]:
    """The `pretrain` images, and the in-domain part of `validation`: held-out classes must not choose the epoch."""
    manifest = read_manifest()
    pretrain, validation = (subset_rows(manifest, subset) for subset in ("pretrain", "validation"))
    in_domain = in_task(validation, "in")
    return (
        Images(open_lab8("pretrain", manifest), names=pretrain.image.to_numpy()),
        Images(_selected("validation", manifest, in_domain), names=validation.image[in_domain].to_numpy()),
    )


def swapped_images() -> tuple[Images, Images]:
    """The `pretrain` images, and `validation` images of the same classes, with held-out classes for the matched ones.

    The epoch is selected on classes that were trained on, as for every other encoder. Both sets are those of the first
    objective with held-out and matched classes exchanged, so the selection favours neither encoder.
    """
    manifest = read_manifest()
    pretrain, validation, unused = (subset_rows(manifest, subset) for subset in ("pretrain", "validation", "unused"))
    source = swapped_rows(manifest)
    lab8 = SubstitutedRows(
        open_lab8("pretrain", manifest), open_rows(f"data/held_out/{SWAPPED}.npy", "unused", manifest), source
    )
    names = np.where(source >= 0, unused.image.to_numpy()[source], pretrain.image)
    seen = in_task(validation, "out") | (in_task(validation, "in") & ~in_task(validation, "matched"))
    return (
        Images(lab8, names=names),
        Images(_selected("validation", manifest, seen), names=validation.image[seen].to_numpy()),
    )


def swapped_rows(manifest: DataFrame) -> np.ndarray:
    """For each `pretrain` image the `unused` image that takes its place, or -1: (N,) int64 row numbers.

    The i-th image of the k-th matched class gives its place to the i-th image of the k-th held-out class. Where that
    class has fewer images they are repeated from the first; where it has more, the rest is left out. So the number of
    images and the order of batches stay the same.
    """
    pretrain, unused = (subset_rows(manifest, subset)["label"].to_numpy() for subset in ("pretrain", "unused"))
    source = np.full(len(pretrain), -1)
    for seen, held_out in zip(domain_classes(manifest, "matched"), domain_classes(manifest, "out"), strict=True):
        rows = np.flatnonzero(pretrain == seen)
        source[rows] = np.resize(np.flatnonzero(unused == held_out), len(rows))
    return source


def labelled_images() -> tuple[Images, Images]:
    """The in-domain images of `probe` and of `validation`, with labels 0..K-1."""
    manifest = read_manifest()
    return _labelled(manifest, "probe"), _labelled(manifest, "validation")


def online_probe_images() -> dict[str, tuple[LabelledRows, LabelledRows]]:
    """By domain, the `probe` and the `validation` images of its classes."""
    manifest = read_manifest()
    return {
        domain: (_of_domain(manifest, "probe", domain), _of_domain(manifest, "validation", domain))
        for domain in SUBSETS
    }


def _of_domain(manifest: DataFrame, subset: str, domain: str) -> LabelledRows:
    rows = subset_rows(manifest, subset)
    inside = in_task(rows, domain)
    return LabelledRows(open_lab8(subset, manifest), np.flatnonzero(inside), rows.label[inside].to_numpy(str))


def _labelled(manifest: DataFrame, subset: str) -> Images:
    rows = subset_rows(manifest, subset)
    in_domain = in_task(rows, "in")
    lab8, labels = _selected(subset, manifest, in_domain), domain_labels(rows)[in_domain]
    return Images(lab8, labels, rows.image[in_domain].to_numpy())


def _selected(subset: str, manifest: DataFrame, chosen: np.ndarray) -> SelectedRows:
    return SelectedRows(open_lab8(subset, manifest), np.flatnonzero(chosen))
