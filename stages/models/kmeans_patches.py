"""One layer of fixed filters: how near each patch of lightness is to centroids of whitened patches.

An analysis of single-layer networks in unsupervised feature learning (Coates, Ng and Lee 2011, AISTATS), sections 3.1
and 3.2, and the authors' code: each patch is normalised to mean 0 and variance 1, whitened by ZCA, and encoded by the
"triangle" activation. A patch's mean is taken off by the whitening filters themselves and its contrast by box filters,
so the whole network is convolutions.
"""

import torch
import torch.nn.functional as F
from torch import nn

from stages.color.normalization import normalize_lightness
from stages.models.geometry import PATCH_LAYERS
from stages.models.pretrained import PretrainedEncoder

QUADRANTS = 2  # an axis
CHUNK_IMAGES = 4  # at once: 512 centroids at each pixel of 128 x 128 take 31 MB an image, several times over


class KMeansPatches(PretrainedEncoder):
    """Triangle features of patches, f_k = max(0, mean(d) - d_k) with d_k the distance to centroid k (section 3.1.2).

    The tensors, of patches of D = patch_size ** 2 pixels in [-1, 1]: `whitening` (D, D) and `patch_mean` (D,), applied
    to normalised patches, and `centroids` (K, D), whitened patches. They are computed, not trained:
    `stages.controls.kmeans_patches`.

    Args:
        patch_size: edge of a patch, in pixels.
        centroids: how many, K.
        contrast_epsilon: added to a patch's variance.
        mid_stride: image pixels to a position of `mid`, along an axis.
        image_size: see `PretrainedEncoder`.
    """

    network = "a single layer of k-means features of patches"
    layers = PATCH_LAYERS
    predicts_ab = False

    def __init__(
        self,
        patch_size: int,
        centroids: int,
        contrast_epsilon: float,
        mid_stride: int,
        image_size: int | None = None,
    ):
        super().__init__()
        pixels = patch_size**2
        shapes = {"whitening": (pixels, pixels), "patch_mean": (pixels,), "centroids": (centroids, pixels)}
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape), requires_grad=False))

    def triangle(self, lab: torch.Tensor) -> torch.Tensor:
        """Features of every patch.

        Args:
            lab: (N, 3, S, S) float32 Lab, S at least the patch size.

        Returns:
            (N, K, S - patch_size + 1, S - patch_size + 1), not negative.
        """
        lightness, edge = normalize_lightness(lab), self.config["patch_size"]
        pixels = edge**2
        mean = F.avg_pool2d(lightness, edge, stride=1)
        variance = F.avg_pool2d(lightness.square(), edge, stride=1) - mean.square()
        deviation = (variance.clamp(min=0) * pixels / (pixels - 1) + self.config["contrast_epsilon"]).sqrt()
        # W (patch - its mean) = (W with each row's mean taken off) patch.
        filters = (self.whitening - self.whitening.mean(dim=1, keepdim=True)).view(pixels, 1, edge, edge)
        whitened = F.conv2d(lightness, filters) / deviation - (self.whitening @ self.patch_mean).view(-1, 1, 1)
        # ||z - c||^2 = ||z||^2 - 2 c z + ||c||^2
        squares = self.centroids.square().sum(dim=1).view(-1, 1, 1) - 2 * F.conv2d(
            whitened, self.centroids[:, :, None, None]
        )
        distances = (squares + whitened.square().sum(dim=1, keepdim=True)).clamp(min=0).sqrt()
        return F.relu(distances.mean(dim=1, keepdim=True) - distances)

    def activations(self, lab: torch.Tensor) -> dict[str, torch.Tensor]:
        """The triangle features, averaged over an even grid: `mid` to the grid of an autoencoder's `mid`, `latent` to
        four quadrants, as the paper gives them to its classifier (section 3.2; it sums).

        Args:
            lab: (N, 3, S, S) float32 Lab, S a multiple of `mid_stride`.

        Returns:
            By name, (N, K, S / mid_stride, S / mid_stride) and (N, K, 2, 2) float32. Autocast is left aside: distances
            are differences of large numbers.
        """
        grids = dict(zip(PATCH_LAYERS, (lab.shape[-1] // self.config["mid_stride"], QUADRANTS), strict=True))
        parts = {layer: [] for layer in grids}
        with torch.autocast(lab.device.type, enabled=False):
            for images in lab.float().split(CHUNK_IMAGES):
                maps = self.triangle(images)
                for layer, grid in grids.items():
                    parts[layer].append(F.adaptive_avg_pool2d(maps, grid))
        return {layer: torch.cat(maps) for layer, maps in parts.items()}

    def encode(self, lab: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) float32 Lab -> `latent`, (N, K, 2, 2)."""
        return self.activations(lab)["latent"]
