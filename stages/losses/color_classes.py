"""Colours as classes: soft encoding and the rebalanced cross-entropy (Zhang 2016, section 2)."""

import torch
import torch.nn.functional as F


def downsample_ab(ab: torch.Tensor, stride: int) -> torch.Tensor:
    """(N, 2, H, W) -> (N, 2, H / stride, W / stride), the mean of each square of `stride` pixels an edge."""
    return F.avg_pool2d(ab, stride)


@torch.no_grad()
def soft_encode(
    ab: torch.Tensor, bins: torch.Tensor, neighbors: int, sigma: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Share each colour between the bins nearest to it, by a Gaussian of the distance (section 2.1: 5 bins, sigma 5).

    Args:
        ab: (N, 2, H, W), a and b in Lab units, -128..127.
        bins: (Q, 2) float32 centres, on the same device.
        neighbors: how many bins, at most Q.
        sigma: of the Gaussian, in units of ab.

    Returns:
        (N, neighbors, H, W) int64, numbers of bins, the nearest first, and float32 their shares, with sum 1.

    Raises:
        ValueError: when there are fewer bins than neighbours.
    """
    if neighbors > len(bins):
        raise ValueError(f"neighbors must be at most the number of bins, {len(bins)}; got {neighbors}")
    a, b = ab.float().flatten(2).unsqueeze(2).unbind(1)
    centre_a, centre_b = bins.float()[:, :, None].unbind(1)
    offset = b - centre_b
    # The one keeps the float clear of denormals, which some devices take for 0.
    squared = (a - centre_a).square_().addcmul_(offset, offset).add_(1)
    # Positive floats are ordered as the integers of the same bits. With the bin's number in the lowest bits, a
    # minimum finds both: five times as fast on a CPU as `topk`. What the distance loses is below a thousandth of it.
    low = (1 << (len(bins) - 1).bit_length()) - 1
    keys = squared.view(torch.int32).bitwise_and_(~low)
    keys.bitwise_or_(torch.arange(len(bins), dtype=torch.int32, device=ab.device)[:, None])
    nearest = []
    for _ in range(neighbors):
        nearest.append((keys.amin(dim=1, keepdim=True) & low).long())
        keys.scatter_(1, nearest[-1], torch.iinfo(torch.int32).max)
    indices = torch.cat(nearest, dim=1)
    distance = (a - bins[indices, 0]).square() + (b - bins[indices, 1]).square()
    shares = (-distance / (2 * sigma**2)).softmax(dim=1)
    shape = (len(ab), neighbors, *ab.shape[2:])
    return indices.view(shape), shares.view(shape)


def classification_loss(
    logits: torch.Tensor, ab: torch.Tensor, bins: torch.Tensor, weights: torch.Tensor, neighbors: int, sigma: float
) -> torch.Tensor:
    """Cross-entropy with the soft-encoded colours, each position weighted by its likeliest bin (eq. 2 and 3).

    Args:
        logits: (N, Q, h, w), floating point; worked on in float32.
        ab: (N, 2, h, w), a and b in Lab units, see `downsample_ab`.
        bins: (Q, 2) float32 centres.
        weights: (Q,) float32, see `stages.palette.prior.rebalancing_weights`.
        neighbors, sigma: of the soft encoding.

    Returns:
        A scalar in nats: the mean over positions, where the paper has the sum.
    """
    indices, shares = soft_encode(ab, bins, neighbors, sigma)
    log_probabilities = logits.float().log_softmax(dim=1).gather(1, indices)
    cross_entropy = -(shares * log_probabilities).sum(dim=1)
    return (weights[indices[:, 0]] * cross_entropy).mean()
