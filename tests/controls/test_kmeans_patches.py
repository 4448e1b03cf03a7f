import numpy as np
import pytest
import torch

from stages.controls import kmeans_patches
from stages.controls.kmeans_patches import fit, normalized_patches, zca
from stages.runtime.schema import Model
from stages.training.images import Images

MODEL = Model(block_out_channels=[8, 8, 8], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)


@pytest.fixture(autouse=True)
def few_centroids(monkeypatch):
    monkeypatch.setattr(kmeans_patches, "CENTROIDS", 8)


def images(seed):
    return Images(np.random.default_rng(seed).integers(0, 256, (6, 3, 12, 12), dtype=np.uint8))


def test_the_same_seed_gives_the_same_bytes_and_colour_is_not_seen():
    def tensors(pictures, seed):
        return [value.numpy().tobytes() for value in fit(pictures, images(1), MODEL, seed)[0].state_dict().values()]

    colours = Images(images(0).lab8.copy())
    colours.lab8[:, 1:] = 128
    first = tensors(images(0), 0)
    assert tensors(colours, 0) == first
    assert tensors(images(0), 1) != first


def test_the_loss_is_the_mean_squared_distance_of_a_patch_to_its_centroid():
    network, losses = fit(images(0), images(1), MODEL, 0)
    patches = normalized_patches(images(1), 0) - network.patch_mean.double().numpy()
    whitened = patches @ network.whitening.double().numpy()
    distances = torch.cdist(torch.from_numpy(whitened), network.centroids.double())
    assert losses["loss"] == pytest.approx(distances.min(dim=1).values.square().mean().item(), rel=1e-4)


def test_patches_are_drawn_once_each_and_normalised(monkeypatch):
    # All 49 of each image, whatever the draw.
    patches = normalized_patches(images(0), 0)
    assert patches.shape == (6 * 49, 36)
    assert len(np.unique(patches, axis=0)) == 6 * 49
    np.testing.assert_allclose(patches.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(patches.var(axis=1, ddof=1), 1, atol=0.01)
    monkeypatch.setattr(kmeans_patches, "PATCHES", 20)
    monkeypatch.setattr(kmeans_patches, "IMAGES", 4)
    assert normalized_patches(images(0), 0).shape == (4 * 5, 36)


def test_whitened_patches_are_uncorrelated_and_of_variance_one():
    rng = np.random.default_rng(0)
    patches = 50 * rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4)) + 3
    mean, whitening = zca(patches)
    np.testing.assert_allclose(np.cov((patches - mean) @ whitening, rowvar=False), np.eye(4), atol=0.02)
    np.testing.assert_allclose(whitening, whitening.T, atol=1e-9)
