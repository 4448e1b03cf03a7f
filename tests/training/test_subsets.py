import numpy as np

from stages.dataset.arrays import SelectedRows, SubstitutedRows
from stages.dataset.manifest import ManifestRow, read_manifest, write_manifest
from stages.training.subsets import swapped_rows


def test_each_image_of_a_matched_class_gives_its_place_to_one_of_a_held_out_class(tmp_path):
    """c takes the place of a, d that of b: d has an image too few, which is repeated, and c one too many."""
    images = {"a": 2, "b": 3, "c": 3, "d": 2, "e": 2}
    rows = [
        ManifestRow(f"{label}/{number}", label, *(("out", "unused") if label in "cd" else ("in", "pretrain")),
                    str(int(label in "ab")))
        for label, count in images.items()
        for number in range(count)
    ]  # fmt: skip
    write_manifest(rows, tmp_path / "manifest.csv")
    assert swapped_rows(read_manifest(tmp_path / "manifest.csv")).tolist() == [0, 1, 3, 4, 3, -1, -1]


def test_selected_rows_are_read_as_an_array_of_them_would_be():
    array = np.arange(12, dtype=np.int32).reshape(4, 3)
    some = SelectedRows(array, np.array([3, 0, 1]))
    whole = array[[3, 0, 1]]
    for rows in (np.array([2, 0]), slice(1, 3), slice(None)):
        np.testing.assert_array_equal(some[rows], whole[rows])
    assert (len(some), some.shape, some.nbytes) == (3, whole.shape, whole.nbytes)


def test_substituted_rows_are_read_as_an_array_of_them_would_be():
    array, others = np.arange(12).reshape(4, 3), -np.arange(6).reshape(2, 3)
    both = SubstitutedRows(array, others, np.array([-1, 1, -1, 0]))
    whole = np.stack([array[0], others[1], array[2], others[0]])
    for rows in (np.array([3, 0, 1]), slice(1, 3), slice(None)):
        np.testing.assert_array_equal(both[rows], whole[rows])
    assert (len(both), both.shape, both.nbytes) == (4, (4, 3), array.nbytes)
    assert array[1].tolist() == [3, 4, 5]
