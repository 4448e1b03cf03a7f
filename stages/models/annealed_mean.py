"""From a distribution over colours to one colour: the annealed mean (Zhang 2016, section 2.3)."""

import torch


def annealed_mean(logits: torch.Tensor, bins: torch.Tensor, temperature: float) -> torch.Tensor:
    """The mean colour of the distribution sharpened by a temperature (eq. 5; the paper's is 0.38).

    The softmax of logits / T is the paper's f_T of the softmax of the logits.

    Args:
        logits: (N, Q, h, w), floating point; worked on in float32.
        bins: (Q, 2) float32 centres.
        temperature: above 0; 1 gives the mean, towards 0 it becomes the mode.

    Returns:
        (N, 2, h, w) float32, a and b in Lab units.
    """
    probabilities = (logits.float() / temperature).softmax(dim=1)
    with torch.autocast(logits.device.type, enabled=False):
        ab = bins.T @ probabilities.flatten(2)
    return ab.unflatten(2, logits.shape[2:])
