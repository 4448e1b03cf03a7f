"""The images that an encoder is trained on, and those that its epoch is chosen on."""

import numpy as np

from stages.dataset.arrays import open_lab8
from stages.dataset.manifest import SUBSETS, domain_labels, read_manifest, subset_rows
from stages.training.images import Images
from stages.training.online_probe import LabelledRows


def unlabelled_images() -> tuple[Images, Images]:
    """The `pretrain` images, and the in-domain part of `validation`: held-out classes must not choose the epoch."""
    manifest = read_manifest()
    pretrain, validation = (subset_rows(manifest, subset) for subset in ("pretrain", "validation"))
    in_domain = (validation.domain == "in").to_numpy()
    return (
        Images(open_lab8("pretrain", manifest), names=pretrain.image.to_numpy()),
        Images(open_lab8("validation", manifest)[in_domain], names=validation.image[in_domain].to_numpy()),
    )


def labelled_images() -> tuple[Images, Images]:
    """The in-domain images of `probe` and of `validation`, with labels 0..K-1."""
    return _labelled("probe"), _labelled("validation")


def online_probe_images() -> dict[str, tuple[LabelledRows, LabelledRows]]:
    """By domain, the `probe` and the `validation` images of its classes."""
    return {domain: (_of_domain("probe", domain), _of_domain("validation", domain)) for domain in SUBSETS}


def _of_domain(subset: str, domain: str) -> LabelledRows:
    manifest = read_manifest()
    rows = subset_rows(manifest, subset)
    inside = (rows.domain == domain).to_numpy()
    return LabelledRows(open_lab8(subset, manifest), np.flatnonzero(inside), rows.label[inside].to_numpy(str))


def _labelled(subset: str) -> Images:
    manifest = read_manifest()
    rows = subset_rows(manifest, subset)
    in_domain = (rows.domain == "in").to_numpy()
    lab8, labels = open_lab8(subset, manifest)[in_domain], domain_labels(rows)[in_domain]
    return Images(lab8, labels, rows.image[in_domain].to_numpy())
