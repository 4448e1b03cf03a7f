"""Every painter scored on all test images: the tables of data/quality/."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from stages.classifiers.domains import Domain, read_domain
from stages.dataset.arrays import open_lab8
from stages.dataset.manifest import SUBSETS, read_manifest
from stages.losses.perceptual import open_lpips
from stages.painting.files import QualityTables
from stages.painting.quality import Metrics, Painter, Quality, colorization_quality
from stages.painting.rarity import rarity_table
from stages.painting.raw_accuracy import THRESHOLDS, accuracy_curve
from stages.painting.tables import CURVES, SCORES
from stages.palette.counts import read_prior
from stages.pixels.saved_probe import open_probe
from stages.runtime.schema import Evaluate


@dataclass(frozen=True)
class TestImages:
    """The test images as they are stored, and which of them belong to which domain.

    Attributes:
        lab8: (N, 3, S, S) uint8 Lab, memory-mapped.
        domains: by name, `in` and `out`; `images["test"].positions` are rows of `lab8`.
    """

    lab8: np.ndarray
    domains: dict[str, Domain]


def open_test_images() -> TestImages:
    """Open data/lab/test.npy, and read the manifest.

    Raises:
        StageError: when a file is missing or broken, or they are of different runs.
    """
    manifest = read_manifest()
    return TestImages(open_lab8("test", manifest), {domain: read_domain(manifest, domain) for domain in SUBSETS})


def evaluate_painters(
    painters: dict[str, Painter], test: TestImages, evaluate: Evaluate, device: torch.device
) -> dict[str, QualityTables]:
    """Score painters on all test images.

    Args:
        painters: by name.
        evaluate: `evaluate.*` of the parameters: the probe and LPIPS's network.

    Returns:
        By painter's name; rows in the manifest's order.

    Raises:
        StageError: when the prior, the probe or LPIPS's weights are missing; see `colorization_quality`.
    """
    lpips = open_lpips(evaluate.lpips_net, evaluate.lpips_backbone, "evaluate").to(device)
    pixel_weights = rarity_table(*read_prior())
    by_domain = {}
    for name, domain in test.domains.items():
        images = domain.images["test"]
        probe = open_probe(f"data/probes/{evaluate.probe}", name)
        metrics = Metrics(lpips, pixel_weights, probe.predict_lab8)
        classes = domain.classes[images.labels]
        by_domain[name] = colorization_quality(painters, test.lab8, images.positions, classes, metrics, device)
    return {
        painter: _tables(test, {domain: qualities[painter] for domain, qualities in by_domain.items()})
        for painter in painters
    }


def _tables(test: TestImages, quality: dict[str, Quality]) -> QualityTables:
    """The tables of one painter, of its quality in each domain."""
    scores, curves = [], []
    for name, domain in test.domains.items():
        images = domain.images["test"]
        rows = pd.DataFrame({"image": images.names, "domain": name} | quality[name].scores, index=images.positions)
        scores.append(rows[SCORES.names])
        plain, rebalanced = accuracy_curve(quality[name].histograms)
        curves.append(CURVES.frame(zip([name] * THRESHOLDS, range(THRESHOLDS), plain, rebalanced, strict=True)))
    return QualityTables(pd.concat(scores).sort_index(), pd.concat(curves))
