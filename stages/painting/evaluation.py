"""All test images painted by all painters, scored, as the tables of data/quality/."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from stages.classifiers.domains import Domain, read_domain
from stages.dataset.arrays import open_lab8
from stages.dataset.manifest import SUBSETS, read_manifest
from stages.losses.perceptual import open_lpips
from stages.painting.files import CURVES, SCORES, QualityTables
from stages.painting.quality import Metrics, Painter, Quality, colorization_quality
from stages.painting.rarity import rarity_table
from stages.painting.raw_accuracy import LARGEST, accuracy_curve
from stages.palette.counts import read_prior
from stages.pixels.saved_probe import open_probe
from stages.runtime.schema import Evaluate


@dataclass(frozen=True)
class TestImages:
    """The test images as they are stored, and which of them belong to which domain.

    Attributes:
        lab8: (N, 3, S, S) uint8 Lab, memory-mapped.
        domains: `in`, `out` -> it, with its `test` images' rows of `lab8`.
    """

    lab8: np.ndarray
    domains: dict[str, Domain]


def open_test_images() -> TestImages:
    """Open data/lab/test.npy and what the manifest says of it.

    Raises:
        StageError: when a file is missing or broken, or they are of different runs.
    """
    manifest = read_manifest()
    return TestImages(open_lab8("test", manifest), {domain: read_domain(manifest, domain) for domain in SUBSETS})


def evaluate_painters(
    painters: dict[str, Painter], test: TestImages, evaluate: Evaluate, device: torch.device
) -> dict[str, QualityTables]:
    """Score painters on all test images, in the manifest's order.

    Args:
        evaluate: which LPIPS, and whose probe is to recognise what was painted.

    Raises:
        StageError: when the prior, the probe or LPIPS's weights are missing; see `colorization_quality`.
    """
    metric = open_lpips(evaluate.lpips_net, evaluate.lpips_backbone, "evaluate").to(device)
    rarity = rarity_table(*read_prior())
    quality: dict[str, dict[str, Quality]] = {painter: {} for painter in painters}
    for name, domain in test.domains.items():
        images = domain.images["test"]
        classes = domain.classes[images.labels]
        metrics = Metrics(metric, rarity, open_probe(f"data/probes/{evaluate.probe}", name).predict_lab8)
        judged = colorization_quality(painters, test.lab8, images.positions, classes, metrics, device)
        for painter, each in judged.items():
            quality[painter][name] = each
    return {painter: _tables(test, each) for painter, each in quality.items()}


def _tables(test: TestImages, quality: dict[str, Quality]) -> QualityTables:
    scores, curves = [], []
    for name, domain in test.domains.items():
        images = domain.images["test"]
        own = pd.DataFrame({"image": images.names, "domain": name} | quality[name].scores, index=images.positions)
        scores.append(own[["image", "domain", *SCORES]])
        plain, rebalanced = accuracy_curve(quality[name].histograms)
        columns = dict(zip(CURVES, (np.arange(LARGEST + 1), plain, rebalanced), strict=True))
        curves.append(pd.DataFrame({"domain": name} | columns))
    return QualityTables(pd.concat(scores).sort_index(), pd.concat(curves))
