"""Features of patches: distances to k-means centroids of whitened patches of lightness, without a deep network.

An analysis of single-layer networks in unsupervised feature learning (Coates, Ng and Lee 2011, AISTATS), section 3.1
and the authors' code. An encoder that beats it has learned more than which patches occur.

Settings that matter:
    PATCH_SIZE          6, as in the paper
    CENTROIDS           512; the paper: 100 to 4,000, the more the better. With 4 x 4 positions they come to the 8,192
                        values that `latents.features` lets a layer have
    PATCHES             some 100,000, drawn from up to 10,000 images
    CONTRAST_EPSILON    10 for lightness in 0..255, added to a patch's variance
    ZCA_EPSILON         0.1, added to each eigenvalue of the covariance
    ITERATIONS          10 of Lloyd's algorithm from centroids drawn among the patches: more change little
"""

import math

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from stages.color.normalization import normalize_lightness
from stages.compute.batches import load_batch
from stages.controls.control import FittedControl
from stages.models.geometry import latent_stride
from stages.models.kmeans_patches import KMeansPatches
from stages.runtime.schema import Model
from stages.training.images import Images

PATCH_SIZE = 6
CENTROIDS = 512
PATCHES, IMAGES = 100_000, 10_000
CONTRAST_EPSILON = 10 * (2 / 255) ** 2  # lightness is in [-1, 1]
ZCA_EPSILON = 0.1
ITERATIONS = 10
BATCH = 256


def control() -> FittedControl:
    """The control."""
    return FittedControl(fit)


def fit(images: Images, validation: Images, model: Model, seed: int) -> tuple[KMeansPatches, dict[str, float]]:
    """The network of whitening and centroids, and its `loss`: the mean squared distance of a patch to its centroid.

    Args:
        images: that patches are drawn from.
        validation: that the loss is of.
        model: `block_out_channels` sets the grid of `mid`.
        seed: of the patches and of the first centroids.
    """
    network = KMeansPatches(PATCH_SIZE, CENTROIDS, CONTRAST_EPSILON, latent_stride(model.block_out_channels))
    # Sums of several threads would be added in another order each time.
    with threadpool_limits(1):
        patches = normalized_patches(images, seed)
        mean, whitening = zca(patches)
        kmeans = KMeans(CENTROIDS, init="random", n_init=1, max_iter=ITERATIONS, tol=0, random_state=seed)
        kmeans.fit((patches - mean) @ whitening)
        others = (normalized_patches(validation, seed) - mean) @ whitening
        loss = -kmeans.score(others) / len(others)
    tensors = {"whitening": whitening, "patch_mean": mean, "centroids": kmeans.cluster_centers_}
    network.load_state_dict({name: torch.from_numpy(values).float() for name, values in tensors.items()})
    return network.eval(), {"loss": float(loss)}


def normalized_patches(images: Images, seed: int) -> np.ndarray:
    """Patches of L, each of mean 0 and a variance of about 1.

    Args:
        seed: of which images, and which patches of each; no patch is drawn twice.

    Returns:
        (M, PATCH_SIZE ** 2) float64.
    """
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(images))[:IMAGES])
    side = images.image_size - PATCH_SIZE + 1
    each = min(side**2, math.ceil(PATCHES / len(rows)))
    patches = []
    for start in range(0, len(rows), BATCH):
        lab = load_batch(images.lab8, rows[start : start + BATCH], torch.device("cpu"))
        lightness = normalize_lightness(lab)[:, 0].numpy()
        windows = np.lib.stride_tricks.sliding_window_view(lightness, (PATCH_SIZE, PATCH_SIZE), axis=(1, 2))
        for image in windows:
            top, left = np.divmod(generator.choice(side**2, each, replace=False), side)
            patches.append(image[top, left].reshape(each, -1).astype(np.float64))
    patches = np.concatenate(patches)
    centred = patches - patches.mean(axis=1, keepdims=True)
    return centred / np.sqrt(patches.var(axis=1, ddof=1, keepdims=True) + CONTRAST_EPSILON)


def zca(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ZCA whitening: the mean (D,) and the symmetric matrix (D, D) that makes the covariance of patches about 1.

    Args:
        patches: (M, D) float64.
    """
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    return patches.mean(axis=0), (vectors / np.sqrt(values + ZCA_EPSILON)) @ vectors.T
