from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from stages.probing.heads import knn as knn_probe
from stages.probing.heads.knn import FLOOR, fit_knn_probe, knn_log_probabilities, nearest_vectors


def task(images: int, seed: int = 0, classes: int = 4, dimension: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    return (rng.normal(size=(images, 1, dimension)) + labels[:, None, None] * 0.2).astype(np.float32), labels


@pytest.mark.parametrize("k", [1, 5, 40])
@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_it_is_scikit_learn_s_classifier_with_the_weights_of_wu_2018(k, temperature, monkeypatch):
    monkeypatch.setattr(knn_probe, "CHUNK_IMAGES", 7)
    (train, labels), (queries, _) = task(40), task(30, 1)
    reference = KNeighborsClassifier(
        k, metric="cosine", algorithm="brute", weights=lambda distance: np.exp((1 - distance) / temperature)
    )
    reference.fit(train[:, 0].astype(float), labels)
    expected = reference.predict_proba(queries[:, 0].astype(float))
    (found,) = knn_log_probabilities(fit_knn_probe(train, labels, 4, temperature), queries, [k])
    np.testing.assert_allclose(np.exp(found), (1 - FLOOR) * expected + FLOOR / 4, atol=1e-5)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_votes_worked_out_by_hand():
    # Cosines of the query (1, 0): 1, 0.6, 0, whatever the lengths.
    train = np.array([[[2.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.0]]], dtype=np.float32)
    query = np.array([[[7.0, 0.0]]], dtype=np.float32)
    probe = fit_knn_probe(train, np.array([0, 1, 1]), 2, temperature=1.0)
    two, three = (np.exp(found[0]) for found in knn_log_probabilities(probe, query, [2, 3]))
    e = np.exp([1, 0.6, 0])
    np.testing.assert_allclose(
        two, [0.99 * e[0] / (e[0] + e[1]) + 0.005, 0.99 * e[1] / (e[0] + e[1]) + 0.005], rtol=1e-5
    )
    np.testing.assert_allclose(three[0], 0.99 * e[0] / e.sum() + 0.005, rtol=1e-5)


def test_a_k_above_the_number_of_training_images_is_cut_to_it():
    (train, labels), (queries, _) = task(10), task(5, 1)
    ten, many = knn_log_probabilities(fit_knn_probe(train, labels, 4, 0.07), queries, [10, 200])
    np.testing.assert_array_equal(ten, many)


def test_several_k_at_once_are_each_k_by_itself():
    (train, labels), (queries, _) = task(40), task(30, 1)
    probe = fit_knn_probe(train, labels, 4, 0.07)
    for k, together in zip((20, 3), knn_log_probabilities(probe, queries, [20, 3]), strict=True):
        np.testing.assert_array_equal(together, knn_log_probabilities(probe, queries, [k])[0])


@pytest.mark.parametrize("temperature", [1e-6, 1e6])
def test_no_temperature_overflows_and_no_class_is_impossible(temperature):
    (train, labels), (queries, _) = task(40), task(30, 1)
    (found,) = knn_log_probabilities(fit_knn_probe(train, labels, 5, temperature), queries, [40])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)


def test_mirror_images_neither_vote_nor_ask():
    (train, labels), (queries, _) = task(40), task(30, 1)
    (expected,) = knn_log_probabilities(fit_knn_probe(train, labels, 4, 0.07), queries, [5])
    noisy = [np.concatenate((array, -array[::-1]), axis=1) for array in (train, queries)]
    (found,) = knn_log_probabilities(fit_knn_probe(noisy[0], labels, 4, 0.07), noisy[1], [5])
    np.testing.assert_array_equal(found, expected)


def test_an_image_without_any_feature_is_no_reason_to_stop():
    train, labels = task(10)
    (found,) = knn_log_probabilities(fit_knn_probe(train, labels, 4, 0.07), np.zeros((2, 1, 6), np.float32), [10])
    assert np.isfinite(found).all()


class Watched(np.ndarray):
    """An array that notes how many rows are read at a time."""

    read: ClassVar[list[int]] = []

    def __getitem__(self, rows):
        part = super().__getitem__(rows)
        Watched.read.append(len(part))
        return part.view(np.ndarray)


@pytest.mark.parametrize("block", [1, 7, 40, 1000])
def test_blocks_find_the_neighbours_of_one_product(block, monkeypatch):
    """Whole numbers, so that inner products are exact however they are added up, and many are equal."""
    rng = np.random.default_rng(0)
    vectors, queries = (rng.integers(-2, 3, (count, 6)).astype(np.float32) for count in (40, 30))
    monkeypatch.setattr(knn_probe, "BLOCK_IMAGES", block)
    similarity, nearest = nearest_vectors(torch.from_numpy(queries), vectors, 9)
    expected = np.sort(queries @ vectors.T, axis=1)[:, :-10:-1]
    np.testing.assert_array_equal(similarity, expected)
    np.testing.assert_array_equal((queries[:, None] * vectors[nearest]).sum(axis=2), expected)
    assert all(len(set(rows)) == 9 for rows in nearest.tolist())


def test_no_more_rows_are_read_and_no_larger_product_is_taken_than_a_block(monkeypatch, tmp_path):
    (train, labels), (queries, _) = task(400), task(100, 1)
    (expected,) = knn_log_probabilities(fit_knn_probe(train, labels, 4, 0.07), queries, [20])
    monkeypatch.setattr(knn_probe, "BLOCK_IMAGES", 64)
    monkeypatch.setattr(knn_probe, "CHUNK_IMAGES", 16)
    probe, products, multiply = fit_knn_probe(train, labels, 4, 0.07), [], torch.Tensor.__matmul__
    np.save(tmp_path / "vectors.npy", probe.vectors)
    vectors = np.load(tmp_path / "vectors.npy", mmap_mode="r").view(Watched)

    def watched(left, right):
        products.append(multiply(left, right))
        return products[-1]

    monkeypatch.setattr(torch.Tensor, "__matmul__", watched)
    Watched.read.clear()
    (found,) = knn_log_probabilities(probe._replace(vectors=vectors), queries, [20])
    assert max(Watched.read) == 64 and len(Watched.read) == len(products) == 7 * 7
    assert {product.shape for product in products} <= {(m, n) for m in (16, 4) for n in (64, 16)}
    np.testing.assert_allclose(found, expected, rtol=1e-5)
