"""Stage `split`: draw the held-out classes and those matched with them, and give every image its subset."""

from collections import Counter

from stages.dataset.manifest import MANIFEST, SUBSETS, ManifestRow, write_manifest
from stages.food101.archive import find_archive, read_meta
from stages.food101.split import split_images
from stages.runtime.entry_point import run
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    rows = split_images(
        read_meta(find_archive()),
        seed=params.seed,
        held_out_classes=params.split.held_out_classes,
        probe_fraction=params.split.probe_fraction,
        validation_fraction=params.split.validation_fraction,
        images_per_class=params.data.images_per_class,
    )
    write_manifest(rows, MANIFEST)
    print(summary(rows))


def summary(rows: list[ManifestRow]) -> str:
    """One line: classes of each domain, images of each subset, and how many seen classes are matched."""
    parts = []
    for domain, subsets in SUBSETS.items():
        classes = {row.label for row in rows if row.domain == domain}
        counts = Counter(row.subset for row in rows if row.domain == domain)
        images = ", ".join(f"{counts[subset]} {subset}" for subset in subsets)
        parts.append(f"{len(classes)} classes {domain} ({images})")
    matched = {row.label for row in rows if row.matched == "1"}
    parts.append(f"{len(matched)} of the classes in matched with those out")
    return "; ".join(parts)


if __name__ == "__main__":
    run(main)
