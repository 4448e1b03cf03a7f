"""Colorized images against the true ones: how close they are, how colourful, and whether a probe recognises them."""

from collections.abc import Callable
from dataclasses import dataclass

import lpips
import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from stages.color.lab import encode_lab8, lab_to_rgb
from stages.compute.batches import load_batch
from stages.painting.colorfulness import colorfulness
from stages.painting.perceptual import perceptual_distance, perceptual_features
from stages.painting.raw_accuracy import THRESHOLDS, accuracy_curve, area_under_curve, distance_histograms
from stages.runtime.errors import StageError

BATCH = 64
# Rounding to 8 bits adds an error with a mean square of 1/12 of a squared step. It bounds PSNR at 58.9 dB, which would
# be infinite for a grey photograph painted grey.
ROUNDING = (1 / 255) ** 2 / 12
# Wang 2004's windows: Gaussian of 1.5 pixels, 11 across. The border, where they do not fit, is left out.
SSIM = dict(data_range=1.0, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)

Painter = Callable[[torch.Tensor], torch.Tensor]
"""From (N, 3, S, S) float32 Lab, of which it may use L alone, to a and b in units of Lab, (N, 2, S, S)."""


@dataclass(frozen=True)
class Metrics:
    """What the scores are computed with.

    Attributes:
        lpips: see `stages.losses.perceptual.open_lpips`.
        pixel_weights: of a pixel by its true stored a and b, (256, 256) float64; see `stages.painting.rarity`.
        classify: from (N, 3, S, S) uint8 Lab to classes (N,); see `stages.pixels.saved_probe`.
    """

    lpips: lpips.LPIPS
    pixel_weights: np.ndarray
    classify: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Quality:
    """The scores of one painter on N images.

    Attributes:
        scores: by name, (N,) float64:
            `psnr` in dB, `ssim` and `lpips`, on sRGB clipped to [0, 1];
            `ab_rmse`, the root mean square over pixels of the Euclidean distance in (a, b);
            `auc`, `auc_rebalanced`, see `stages.painting.raw_accuracy`, over the image's pixels;
            `colorfulness_true`, `colorfulness_painted`; `probe_correct_true`, `probe_correct_painted`, 0 or 1;
            `a_painted`, `b_painted`, the mean painted colour, and `spread_painted`, the pixels' root mean square
            distance from it, in units of Lab.
        histograms: of the distances of all pixels of all images, plain and class-rebalanced, (2, 152) float64.
    """

    scores: dict[str, np.ndarray]
    histograms: np.ndarray


@dataclass(frozen=True)
class _Truth:
    """A batch of true images with all that does not depend on the painter.

    Attributes:
        lab: (B, 3, S, S) float32.
        rgb: (B, 3, S, S) float32 sRGB in [0, 1].
        features: LPIPS's, of `rgb`.
        weights: of the pixels, (B, S, S) float64.
        classes: (B,).
    """

    lab: torch.Tensor
    rgb: torch.Tensor
    features: list[torch.Tensor]
    weights: np.ndarray
    classes: np.ndarray


@torch.inference_mode()
def colorization_quality(
    painters: dict[str, Painter],
    lab8: np.ndarray,
    rows: np.ndarray,
    classes: np.ndarray,
    metrics: Metrics,
    device: torch.device,
) -> dict[str, Quality]:
    """Score each painter on each image; what depends on the true image alone is computed once for all painters.

    Args:
        painters: by name.
        lab8: (M, 3, S, S) uint8 Lab.
        rows: of the N images of `lab8` to score.
        classes: (N,) their true classes, as `metrics.classify` names them.

    Returns:
        By painter's name.

    Raises:
        StageError: naming a painter whose colours are not finite.
    """
    scores = {name: [] for name in painters}
    histograms = {name: np.zeros((2, THRESHOLDS + 1)) for name in painters}
    for start in range(0, len(rows), BATCH):
        images = np.asarray(lab8[rows[start : start + BATCH]])
        truth = _truth(images, classes[start : start + BATCH], metrics, device)
        true_scores = {
            "colorfulness_true": colorfulness(truth.rgb),
            "probe_correct_true": metrics.classify(images) == truth.classes,
        }
        for name, painter in painters.items():
            ab = painter(truth.lab)
            if not ab.isfinite().all():
                raise StageError(
                    f"{name} paints colours that are not finite: its training diverged. Lower train.learning_rate, "
                    f"or train.gradient_clip, and rerun."
                )
            batch_histograms = np.stack(
                [distance_histograms(ab, truth.lab[:, 1:], weights) for weights in (None, truth.weights)]
            )
            auc, auc_rebalanced = area_under_curve(accuracy_curve(batch_histograms))
            histograms[name] += batch_histograms.sum(axis=1)
            areas = {"auc": auc, "auc_rebalanced": auc_rebalanced}
            scores[name].append(true_scores | areas | _painted_scores(ab, truth, metrics))
    return {name: Quality(_concatenate(scores[name]), histograms[name]) for name in painters}


def _truth(lab8: np.ndarray, classes: np.ndarray, metrics: Metrics, device: torch.device) -> _Truth:
    lab = load_batch(lab8, np.s_[:], device)
    rgb = lab_to_rgb(lab).clip(0, 1)
    weights = metrics.pixel_weights[lab8[:, 1], lab8[:, 2]]
    return _Truth(lab, rgb, perceptual_features(metrics.lpips, rgb), weights, classes)


def _painted_scores(ab: torch.Tensor, truth: _Truth, metrics: Metrics) -> dict[str, torch.Tensor | np.ndarray]:
    """The scores, (B,) each, of painted (B, 2, S, S) that need no histogram."""
    lab = torch.cat((truth.lab[:, :1], ab), dim=1)
    rgb = lab_to_rgb(lab).clip(0, 1)
    features = perceptual_features(metrics.lpips, rgb)
    mean = ab.mean(dim=(2, 3))
    return _rgb_scores(rgb, truth.rgb) | {
        "lpips": perceptual_distance(metrics.lpips, features, truth.features),
        "ab_rmse": _root_mean_square(ab - truth.lab[:, 1:]),
        "colorfulness_painted": colorfulness(rgb),
        "probe_correct_painted": metrics.classify(encode_lab8(lab.cpu().numpy())) == truth.classes,
        "a_painted": mean[:, 0],
        "b_painted": mean[:, 1],
        "spread_painted": _root_mean_square(ab - mean[..., None, None]),
    }


def _rgb_scores(painted: torch.Tensor, truth: torch.Tensor) -> dict[str, np.ndarray]:
    pairs = list(zip(truth.cpu().numpy(), painted.cpu().numpy(), strict=True))
    with np.errstate(divide="ignore"):
        psnr = [peak_signal_noise_ratio(*pair, data_range=1.0) for pair in pairs]
    return {
        "psnr": np.minimum(psnr, -10 * np.log10(ROUNDING)),
        "ssim": np.array([structural_similarity(*pair, **SSIM) for pair in pairs]),
    }


def _root_mean_square(ab: torch.Tensor) -> torch.Tensor:
    """(N, 2, H, W) -> (N,): of the vectors' lengths."""
    return ab.square().sum(dim=1).mean(dim=(1, 2)).sqrt()


def _concatenate(batches: list[dict]) -> dict[str, np.ndarray]:
    """Each score of all batches, as float64 on the CPU."""
    return {
        name: np.concatenate([np.asarray(torch.as_tensor(batch[name]).cpu(), dtype=np.float64) for batch in batches])
        for name in batches[0]
    }
