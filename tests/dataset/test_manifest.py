"""The manifest is written byte for byte alike, and what is not a manifest is refused."""

import tracemalloc

import numpy as np
import pytest

from stages.dataset.manifest import (
    ManifestRow,
    domain_classes,
    domain_labels,
    in_task,
    read_manifest,
    subset_rows,
    write_manifest,
)
from stages.runtime.errors import StageError

ROWS = [
    ManifestRow("pie/10", "pie", "in", "pretrain"),
    ManifestRow("pie/2", "pie", "in", "probe"),
    ManifestRow("apple/1", "apple", "in", "probe", "1"),
    ManifestRow("NA/1", "NA", "out", "probe"),
    ManifestRow("NA/2", "NA", "out", "unused"),
    ManifestRow("zucchini/1", "zucchini", "out", "probe"),
    ManifestRow("zucchini/2", "zucchini", "out", "test"),
]
HEADER = "image,label,domain,subset,matched\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "split" / "manifest.csv"
    write_manifest(ROWS, path)
    return path


def test_rows_are_sorted_and_come_back(path, tmp_path):
    rows = read_manifest(path)
    assert [tuple(row) for row in rows.itertuples(index=False)] == sorted(ROWS)
    write_manifest(ROWS[::-1], tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()
    assert path.read_bytes().startswith(HEADER.encode() + b"NA/1,NA,out,probe,0\n")


def test_subset_rows_count_from_zero(path):
    rows = subset_rows(read_manifest(path), "probe")
    assert list(rows.index) == [0, 1, 2, 3]
    assert list(rows["image"]) == ["NA/1", "apple/1", "pie/2", "zucchini/1"]


def test_labels_are_numbered_within_their_domain(path):
    manifest = read_manifest(path)
    labels = domain_labels(subset_rows(manifest, "probe"))
    assert labels.dtype == np.int64 and labels.tolist() == [0, 0, 1, 1]
    assert domain_classes(manifest, "in") == ["apple", "pie"]
    assert domain_classes(manifest, "out") == ["NA", "zucchini"]
    assert domain_labels(subset_rows(manifest, "pretrain")).tolist() == [0]


def test_a_matched_class_is_in_domain_and_a_task_of_its_own(path):
    manifest = read_manifest(path)
    assert domain_classes(manifest, "matched") == ["apple"]
    assert in_task(subset_rows(manifest, "probe"), "matched").tolist() == [False, True, False, False]
    assert in_task(subset_rows(manifest, "probe"), "in").tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    "content, message",
    [
        ("image,label\n", "needs the columns image,label,domain,subset,matched; got image,label"),
        (HEADER + "a/1,a,in,probe,0\na/2,a,in,unused,0\n", "line 3: a subset that its domain"),
        (HEADER + "a/1,a,inside,probe,0\n", "line 2: a subset that its domain"),
        (HEADER + "a/1,b,in,probe,0\n", "line 2: a label that is not its class"),
        (HEADER + "a/1,a,in,probe,0\na/1,a,in,test,0\n", "line 3: an image that is listed before"),
        (HEADER + "a/1,a,in,probe,0\na/2,a,out,test,0\n", "a class that is in both domains"),
        (HEADER + "a/1,a,out,probe,1\n", "line 2: matched must be 0 or 1, and 0 of a class that is held out"),
        (HEADER + "a/1,a,in,probe,yes\n", "line 2: matched must be 0 or 1"),
        (HEADER + "a/1,a,in,probe,1\na/2,a,in,test,0\n", "a class of which some images are matched and some are not"),
        ("", "not a CSV file"),
        (HEADER + "a/1,a,in,probe,0,more,and,more\na/2", "manifest.csv"),
    ],
)
def test_refuses_what_is_no_manifest(path, content, message):
    path.write_text(content)
    with pytest.raises(StageError, match=message):
        read_manifest(path)


def test_missing_manifest(tmp_path):
    with pytest.raises(StageError, match=r"manifest.csv is missing"):
        read_manifest(tmp_path / "manifest.csv")


def test_checking_a_manifest_takes_a_few_hundred_bytes_an_image(path):
    """Python objects for each row, in the checks alone, took over 500: gigabytes of ten million photographs."""
    subsets = ("pretrain", "validation", "probe", "test")
    rows = [ManifestRow(f"chocolate_mousse/{i:07}", "chocolate_mousse", "in", subsets[i % 4]) for i in range(20_000)]
    write_manifest(rows, path)
    read_manifest(path)  # imports pandas
    tracemalloc.start()
    assert len(read_manifest(path)) == len(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / len(rows) < 350
