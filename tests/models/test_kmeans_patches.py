"""The network of k-means features, against values worked out by hand and against the definition."""

import numpy as np
import torch
from scipy.spatial.distance import cdist

from stages.features.extraction import layer_shapes
from stages.formats.encoder import load_encoder
from stages.models.kmeans_patches import KMeansPatches


def network(patch_size, centroids, epsilon, whitening=None, patch_mean=None):
    """Of a list or an array of centroids (K, D); identity and zeros where nothing else is given."""
    pixels, centroids = patch_size**2, torch.tensor(np.asarray(centroids), dtype=torch.float32)
    model = KMeansPatches(patch_size, len(centroids), epsilon, mid_stride=4)
    model.centroids.copy_(centroids)
    model.whitening.copy_(torch.eye(pixels) if whitening is None else torch.from_numpy(whitening))
    if patch_mean is not None:
        model.patch_mean.copy_(torch.from_numpy(patch_mean))
    return model.eval()


def test_triangle_features_of_one_patch_by_hand():
    # In [-1, 1] the patch is (1, -1, 1, -1) / 2 and something: of mean 0.25 and variance 1/3. With 11/3 added its
    # deviation is 2, so it is normalised to (1, -1, 1, -1) / 4, which is half a unit from zero.
    lab = torch.zeros(1, 3, 2, 2)
    lab[0, 0] = 50 + 50 * torch.tensor([[0.75, -0.25], [0.75, -0.25]])
    patch = np.array([1, -1, 1, -1]) / 4
    model = network(2, [patch, -patch, 0 * patch, 5 * patch], 11 / 3)
    # Distances 0, 1, 0.5 and 2: their mean is 0.875.
    features = model.triangle(lab)
    assert features.shape == (1, 4, 1, 1)
    np.testing.assert_allclose(features.flatten(), [0.875, 0, 0.375, 0], atol=1e-6)


def test_features_are_those_of_each_patch_normalised_and_whitened():
    rng = np.random.default_rng(0)
    whitening, mean, centroids = rng.normal(size=(9, 9)), rng.normal(size=9), rng.normal(size=(5, 9))
    lab = rng.uniform(0, 100, (2, 3, 8, 8))
    windows = np.lib.stride_tricks.sliding_window_view(lab[:, 0] / 50 - 1, (3, 3), axis=(1, 2)).reshape(2, 36, 9)
    deviations = np.sqrt(windows.var(axis=2, ddof=1) + 0.01)
    normalised = (windows - windows.mean(axis=2, keepdims=True)) / deviations[..., None]
    distances = np.stack([cdist((image - mean) @ whitening.T, centroids) for image in normalised])
    expected = np.maximum(0, distances.mean(axis=2, keepdims=True) - distances).transpose(0, 2, 1)
    model = network(3, centroids, 0.01, whitening, mean)
    features = model.triangle(torch.from_numpy(lab).float())
    np.testing.assert_allclose(features.flatten(2), expected, atol=1e-4)
    # Six by six positions, averaged over quadrants of three by three.
    layers = model.activations(torch.from_numpy(lab).float())
    quadrants = expected.reshape(2, 5, 2, 3, 2, 3).mean(axis=(3, 5))
    np.testing.assert_allclose(layers["latent"], quadrants, atol=1e-4)
    assert layers["mid"].shape == (2, 5, 2, 2)


def test_it_is_loaded_as_any_encoder_and_probed_on_the_layers_that_it_has(tmp_path):
    model = network(2, np.random.default_rng(0).normal(size=(7, 4)), 0.1)
    model.image_size = 16
    model.save_pretrained(tmp_path)
    loaded = load_encoder(tmp_path)
    assert isinstance(loaded, KMeansPatches)
    lab = torch.rand(5, 3, 16, 16) * 100
    assert torch.equal(loaded.encode(lab), model.encode(lab))
    layers = ["down_0", "mid", "latent", "hypercolumn"]
    assert layer_shapes(loaded, layers, 16, features=64) == {"mid": (7, 2, 2), "latent": (7, 2, 2)}
    assert "k-means" in (tmp_path / "README.md").read_text()
