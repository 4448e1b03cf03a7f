"""The manifest is written byte for byte alike, and what is not a manifest is refused."""

import numpy as np
import pytest

from stages.dataset.manifest import (
    ManifestRow,
    domain_classes,
    domain_labels,
    read_manifest,
    subset_rows,
    write_manifest,
)
from stages.runtime.errors import StageError

ROWS = [
    ManifestRow("pie/10", "pie", "in", "pretrain"),
    ManifestRow("pie/2", "pie", "in", "probe"),
    ManifestRow("apple/1", "apple", "in", "probe"),
    ManifestRow("NA/1", "NA", "out", "probe"),
    ManifestRow("NA/2", "NA", "out", "unused"),
    ManifestRow("zucchini/1", "zucchini", "out", "probe"),
    ManifestRow("zucchini/2", "zucchini", "out", "test"),
]
HEADER = "image,label,domain,subset\n"


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
    assert path.read_bytes().startswith(HEADER.encode() + b"NA/1,NA,out,probe\n")


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


@pytest.mark.parametrize(
    "content, message",
    [
        ("image,label\n", "needs the columns image,label,domain,subset; got image,label"),
        (HEADER + "a/1,a,in,probe\na/2,a,in,unused\n", "line 3: a subset that its domain"),
        (HEADER + "a/1,a,inside,probe\n", "line 2: a subset that its domain"),
        (HEADER + "a/1,b,in,probe\n", "line 2: a label that is not its class"),
        (HEADER + "a/1,a,in,probe\na/1,a,in,test\n", "line 3: an image that is listed before"),
        (HEADER + "a/1,a,in,probe\na/2,a,out,test\n", "a class that is in both domains"),
        ("", "not a CSV file"),
        (HEADER + "a/1,a,in,probe,more,and,more\na/2", "manifest.csv"),
    ],
)
def test_refuses_what_is_no_manifest(path, content, message):
    path.write_text(content)
    with pytest.raises(StageError, match=message):
        read_manifest(path)


def test_missing_manifest(tmp_path):
    with pytest.raises(StageError, match=r"manifest.csv is missing"):
        read_manifest(tmp_path / "manifest.csv")
