"""How close painted images come to the true ones, and how colourful and how recognisable they are."""

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
from stages.painting.raw_accuracy import accuracy_curve, area_under_curve, distance_histograms
from stages.runtime.errors import StageError

BATCH = 64
# Two images that are equal after rounding to 8 bits still differ by the rounding, whose mean square is 1/12 of a step:
# it bounds PSNR at 58.9 dB, where a grey photograph painted grey would have an infinite one.
ROUNDING = (1 / 255) ** 2 / 12
# Wang 2004's windows: Gaussian of 1.5 pixels, 11 across. The border, where they do not fit, is left out.
SSIM = dict(data_range=1.0, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)

Painter = Callable[[torch.Tensor], torch.Tensor]
"""From (N, 3, S, S) float32 Lab, of which it may look at L, to a and b in their own units, (N, 2, S, S)."""


@dataclass(frozen=True)
class Metrics:
    """What painted images are held against, besides the true ones.

    Attributes:
        metric: LPIPS, see `stages.losses.perceptual.open_lpips`.
        rarity: weight of a pixel whose true stored a and b are (i, j), (256, 256) float64.
        recognise: from (N, 3, S, S) uint8 Lab to classes (N,); see `stages.pixels.saved_probe`.
    """

    metric: lpips.LPIPS
    rarity: np.ndarray
    recognise: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Quality:
    """How well one painter did on N images.

    Attributes:
        scores: by name, (N,) float64:
            `psnr` in dB and `ssim`, on sRGB in [0, 1], clipped, and `lpips` on the same;
            `ab_rmse`, the root of the mean over pixels of the squared Euclidean distance in (a, b);
            `auc`, `auc_rebalanced`, see `stages.painting.raw_accuracy`, over the image's pixels;
            `colorfulness_true`, `colorfulness_painted`; `probe_correct_true`, `probe_correct_painted`, 0 or 1;
            `a_painted`, `b_painted`, the mean painted colour, and `spread_painted`, the pixels' root mean square
            distance from it, in units of a and b.
        histograms: of the distances of all the images' pixels, plain and class-rebalanced, (2, 152) float64.
    """

    scores: dict[str, np.ndarray]
    histograms: np.ndarray


@torch.inference_mode()
def colorization_quality(
    painters: dict[str, Painter],
    array: np.ndarray,
    positions: np.ndarray,
    classes: np.ndarray,
    metrics: Metrics,
    device: torch.device,
) -> dict[str, Quality]:
    """Compare painted with true images, one by one; what depends on the truth alone is computed once for all painters.

    Args:
        painters: by name.
        array: (M, 3, S, S) uint8 Lab.
        positions: the N rows of it that are judged.
        classes: (N,) their true classes, as `metrics.recognise` names them.

    Returns:
        By painter's name.

    Raises:
        StageError: naming a painter that paints values that are not finite.
    """
    scores = {name: [] for name in painters}
    histograms = {name: np.zeros((2, 152)) for name in painters}
    for start in range(0, len(positions), BATCH):
        lab8 = np.asarray(array[positions[start : start + BATCH]])
        own = classes[start : start + BATCH]
        lab = load_batch(lab8, np.s_[:], device)
        weights = metrics.rarity[lab8[:, 1], lab8[:, 2]]
        rgb = lab_to_rgb(lab).clip(0, 1)
        features = perceptual_features(metrics.metric, rgb)
        truth = {
            "colorfulness_true": colorfulness(rgb),
            "probe_correct_true": torch.from_numpy(metrics.recognise(lab8) == own),
        }
        for name, paint in painters.items():
            ab = paint(lab)
            if not ab.isfinite().all():
                raise StageError(
                    f"{name} paints colours that are not finite: its training diverged. Lower train.learning_rate, "
                    f"or train.gradient_clip, and rerun."
                )
            painted = torch.cat((lab[:, :1], ab), dim=1)
            painted_rgb = lab_to_rgb(painted).clip(0, 1)
            batch_histograms = np.stack([distance_histograms(ab, lab[:, 1:], each) for each in (None, weights)])
            auc, auc_rebalanced = area_under_curve(accuracy_curve(batch_histograms))
            recognised = metrics.recognise(encode_lab8(painted.cpu().numpy()))
            mean = ab.mean(dim=(2, 3))
            histograms[name] += batch_histograms.sum(axis=1)
            scores[name].append(
                _rgb_scores(painted_rgb, rgb)
                | truth
                | {
                    "lpips": perceptual_distance(
                        metrics.metric, perceptual_features(metrics.metric, painted_rgb), features
                    ),
                    "ab_rmse": _root_mean_square(ab - lab[:, 1:]),
                    "auc": auc,
                    "auc_rebalanced": auc_rebalanced,
                    "colorfulness_painted": colorfulness(painted_rgb),
                    "probe_correct_painted": recognised == own,
                    "a_painted": mean[:, 0],
                    "b_painted": mean[:, 1],
                    "spread_painted": _root_mean_square(ab - mean[..., None, None]),
                }
            )
    return {name: Quality(_joined(scores[name]), histograms[name]) for name in painters}


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


def _joined(batches: list[dict]) -> dict[str, np.ndarray]:
    return {
        name: np.concatenate([np.asarray(torch.as_tensor(batch[name]).cpu(), dtype=np.float64) for batch in batches])
        for name in batches[0]
    }
