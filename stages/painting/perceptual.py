"""LPIPS against one truth, several times: the truth's features, most of its cost, are computed once."""

import lpips
import torch


def perceptual_features(metric: lpips.LPIPS, rgb: torch.Tensor) -> list[torch.Tensor]:
    """The network's features of each layer, of unit length over channels (Zhang 2018, section 3).

    Args:
        metric: see `stages.losses.perceptual.open_lpips`.
        rgb: (N, 3, H, W) in [0, 1].
    """
    return [lpips.normalize_tensor(layer) for layer in metric.net(metric.scaling_layer(2 * rgb - 1))]


def perceptual_distance(metric: lpips.LPIPS, one: list[torch.Tensor], other: list[torch.Tensor]) -> torch.Tensor:
    """LPIPS of two images by their features: equal to `metric(..., normalize=True)`, as (N,)."""
    total = 0
    for layer, (left, right) in enumerate(zip(one, other, strict=True)):
        difference = (left - right).square()
        weighted = metric.lins[layer](difference) if metric.lpips else difference.sum(dim=1, keepdim=True)
        total = total + weighted.mean(dim=(1, 2, 3))
    return total
