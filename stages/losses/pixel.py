"""The pixel loss: predicted a and b against the true ones."""

import torch
import torch.nn.functional as F

from stages.color.normalization import AB_SCALE


def pixel_loss(
    predicted: torch.Tensor, target: torch.Tensor, kind: str, beta: float, scale: float = AB_SCALE
) -> torch.Tensor:
    """Mean loss over channels (Ballester 2022, section 3.1; Zhang 2016, eq. 1, for `l2`).

    Args:
        predicted, target: (N, C, H, W), differences of which are in units of Lab divided by `scale`.
        kind: `l1` is |d|; `l2` is d^2; `smooth_l1` is d^2 / (2 beta) below beta and |d| - beta / 2 above it
            (Girshick 2015, eq. 3), all of d = predicted - target.
        beta: in units of Lab, before the division. The study's beta, 1 after the division, is 110 here: every
            difference lies below it, so that the loss is half the squared error, which greys colours out.
        scale: `AB_SCALE` for a and b, `LIGHTNESS_SCALE` for L.

    Returns:
        A scalar.
    """
    if kind == "l1":
        return F.l1_loss(predicted, target)
    if kind == "l2":
        return F.mse_loss(predicted, target)
    return F.smooth_l1_loss(predicted, target, beta=beta / scale)
