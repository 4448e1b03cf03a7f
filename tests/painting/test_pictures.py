import numpy as np

from stages.color.lab import decode_lab8
from stages.painting.pictures import by_score, one_of_each_class, picture_grid


def constant(lightness: int, a: int, b: int) -> np.ndarray:
    return np.tile(np.array([lightness, a, b], dtype=np.uint8).reshape(1, 3, 1, 1), (1, 1, 32, 32))


def test_a_grid_has_a_row_a_kind_and_a_column_an_image():
    lab = decode_lab8(np.concatenate((constant(128, 200, 128), constant(128, 128, 200))))
    grid = np.asarray(picture_grid(lab, np.zeros((2, 2, 32, 32), dtype=np.float32)))
    assert grid.shape == (3 * 132, 2 * 132, 3)
    cells = grid[64::132, 64::132]
    assert (cells[0] == cells[2]).all()  # lightness alone, and painted grey
    assert (np.ptp(cells[0], axis=-1) <= 1).all()
    assert cells[1, 0, 0] > cells[1, 0, 1] + 50  # a > 0: red
    assert cells[1, 1, 0] > cells[1, 1, 2] + 50  # b > 0: yellow


def test_pictures_are_of_different_classes():
    labels = np.array([2, 0, 0, 1, 3, 3, 2])
    assert one_of_each_class(labels, 8).tolist() == [1, 3, 0, 4]
    assert one_of_each_class(labels, 2).tolist() == [1, 4]


def test_best_typical_and_worst_in_the_order_of_their_scores():
    scores = np.array([0.9, 0.1, 0.5, 0.45, 0.2, 0.8, 0.6])  # the median is 0.5
    picked = {name: rows.tolist() for name, rows in by_score(scores, 2).items()}
    assert picked == {"best": [1, 4], "typical": [3, 2], "worst": [5, 0]}
    assert by_score(np.array([0.3, 0.2]), 8)["worst"].tolist() == [1, 0]


def test_of_equal_scores_the_earlier_images_are_picked():
    assert all(rows.tolist() == [0, 1] for rows in by_score(np.ones(5), 2).values())
