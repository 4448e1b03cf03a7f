"""Properties of the split: what keeps held-out classes and test images out of what is learned from."""

import hashlib
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.food101.archive import Meta
from stages.food101.split import split_images
from stages.runtime.errors import StageError


def make_meta(classes: int, train: int = 75, test: int = 25) -> Meta:
    names = [f"class_{i:03d}" for i in range(classes)]

    def images(start, count):
        return {name: [f"{name}/{start + i}" for i in range(count)] for name in names}

    return Meta(names, images(0, train), images(train, test))


FOOD101 = make_meta(101, 750, 250)
STUDY = {"held_out_classes": 20, "probe_fraction": 0.1, "validation_fraction": 0.05}


def by(rows, *fields):
    """Sets of images by the values of `fields`."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, field) for field in fields), set()).add(row.image)
    return groups


def test_food101_has_81_and_20_classes():
    rows = split_images(FOOD101, 0, **STUDY)
    classes = by(rows, "domain", "label")
    assert Counter(domain for domain, _ in classes) == {"in": 81, "out": 20}
    assert len(rows) == len({row.image for row in rows}) == 101_000
    counts = {key: len(images) for key, images in by(rows, "domain", "subset").items()}
    assert counts == {
        ("in", "pretrain"): 81 * 637,
        ("in", "validation"): 81 * 38,
        ("in", "probe"): 81 * 75,
        ("in", "test"): 81 * 250,
        ("out", "unused"): 20 * 637,
        ("out", "validation"): 20 * 38,
        ("out", "probe"): 20 * 75,
        ("out", "test"): 20 * 250,
    }


def test_as_many_seen_classes_as_held_out_ones_are_matched_and_nothing_else_of_them_changes():
    rows = split_images(FOOD101, 0, **STUDY)
    labels = by(rows, "domain", "matched", "label")
    assert Counter(key[:2] for key in labels) == {("in", "0"): 61, ("in", "1"): 20, ("out", "0"): 20}
    # The held-out classes and the images of this seed, as they were drawn before there were matched ones.
    text = "\n".join(",".join(row[:4]) for row in rows)
    assert hashlib.md5(text.encode()).hexdigest() == "9fdeec4c6f1339fd736023d82ba41c1c"
    others = {row.label for row in split_images(FOOD101, 1, **STUDY) if row.matched == "1"}
    assert others != {label for _, matched, label in labels if matched == "1"}


def test_where_too_few_classes_are_seen_none_is_matched():
    assert {row.matched for row in split_images(make_meta(5), 0, **STUDY | {"held_out_classes": 3})} == {"0"}


def test_same_seed_same_split_whatever_the_order_of_the_lists():
    rows = split_images(FOOD101, 3, **STUDY)
    turned = Meta(
        FOOD101.classes[::-1],
        {name: images[::-1] for name, images in FOOD101.train.items()},
        {name: images[::-1] for name, images in FOOD101.test.items()},
    )
    assert split_images(turned, 3, **STUDY) == rows
    assert split_images(FOOD101, 4, **STUDY) != rows


def test_seeds_hold_out_other_classes():
    def held_out(seed):
        rows = split_images(make_meta(12), seed, **STUDY | {"held_out_classes": 4})
        return frozenset(row.label for row in rows if row.domain == "out")

    drawn = {held_out(seed) for seed in range(10)}
    assert len(drawn) > 5 and {len(classes) for classes in drawn} == {4}


@settings(max_examples=40, deadline=None)
@given(
    classes=st.integers(3, 8),
    train=st.integers(8, 60),
    test=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
    probe=st.floats(0.01, 0.4),
    validation=st.floats(0.01, 0.4),
    data=st.data(),
)
def test_split_is_a_partition(classes, train, test, seed, probe, validation, data):
    held_out = data.draw(st.integers(1, classes - 2))
    meta = make_meta(classes, train, test)
    rows = split_images(meta, seed, held_out, probe, validation)
    official = {image for images in meta.train.values() for image in images}
    assert len(rows) == len({row.image for row in rows}) == classes * (train + test)
    assert rows == sorted(rows)
    for row in rows:
        assert row.image.startswith(f"{row.label}/")
        assert (row.subset == "test") == (row.image not in official)
        assert row.subset != {"in": "unused", "out": "pretrain"}[row.domain]
    # Stratified: every class has the same number of images in every subset, at least one, half rounded up.
    sizes = {label: Counter(r.subset for r in rows if r.label == label) for label in meta.classes}
    for counts in sizes.values():
        for subset, fraction in (("probe", probe), ("validation", validation)):
            exact = Decimal(repr(fraction)) * train
            assert counts[subset] == max(1, int(exact.quantize(Decimal(1), ROUND_HALF_UP)))
        assert counts["pretrain"] + counts["unused"] >= 1
    assert len(by(rows, "domain", "label")) == classes
    assert sum(domain == "out" for domain, _ in by(rows, "domain", "label")) == held_out


def test_half_is_rounded_up():
    rows = split_images(make_meta(3, 100, 10), 0, 1, 0.145, 0.025)
    counts = Counter(row.subset for row in rows if row.domain == "out")
    assert (counts["probe"], counts["validation"]) == (15, 3)


def test_another_class_changes_no_other_class():
    few, more = make_meta(5), make_meta(6)
    study = STUDY | {"held_out_classes": 1, "images_per_class": 40}
    before, after = split_images(few, 0, **study), split_images(more, 0, **study)
    kept = {(row.image, row.subset.replace("unused", "pretrain")) for row in before}
    assert kept <= {(row.image, row.subset.replace("unused", "pretrain")) for row in after}


def test_neither_fraction_moves_what_the_other_chose():
    def images_of(subset, **changes):
        return {row.image for row in split_images(FOOD101, 0, **STUDY | changes) if row.subset == subset}

    assert images_of("validation") == images_of("validation", probe_fraction=0.3)
    assert images_of("probe") == images_of("probe", validation_fraction=0.2)
    assert images_of("probe") < images_of("probe", probe_fraction=0.2)


def test_images_per_class_keeps_the_official_proportion():
    rows = split_images(FOOD101, 0, **STUDY, images_per_class=160)
    assert len(rows) == 101 * 160
    per_class = Counter((row.label, row.subset == "test") for row in rows)
    assert {count for (_, is_test), count in per_class.items() if is_test} == {40}
    assert {count for (_, is_test), count in per_class.items() if not is_test} == {120}
    whole = {(row.image, row.subset == "test") for row in split_images(FOOD101, 0, **STUDY)}
    assert {(row.image, row.subset == "test") for row in rows} < whole


@given(images=st.integers(8, 100))
@settings(max_examples=30, deadline=None)
def test_any_images_per_class_adds_up(images):
    rows = split_images(make_meta(3), 0, 1, 0.2, 0.1, images_per_class=images)
    counts = Counter(row.subset == "test" for row in rows if row.domain == "out")
    assert counts[True] + counts[False] == images
    assert abs(counts[True] - images / 4) <= 0.5


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"held_out_classes": 5}, r"split.held_out_classes must be at most 3.*got 5"),
        ({"images_per_class": 101}, r"images_per_class must be at most 100.*class_000; got 101"),
        (
            {"images_per_class": 8, "probe_fraction": 0.5, "validation_fraction": 0.45},
            r"class_000 has 6 training",
        ),
    ],
)
def test_refuses_what_cannot_be_drawn(changes, message):
    with pytest.raises(StageError, match=message):
        split_images(make_meta(5), 0, **STUDY | {"held_out_classes": 2} | changes)
