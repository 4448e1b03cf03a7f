"""A layer's features as heads see them: standardised on the domain's probe images; labels are not used."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from stages.classifiers.standardization import (
    ChannelStats,
    channel_stats,
    standardise,
    standardise_vectors,
    vector_stats,
)
from stages.features.pooling import pool_positions, pool_to_limit
from stages.probing.source import ProbeRun
from stages.runtime.errors import StageError

TEST_CHUNK = 2048  # test images with features in memory at once


class LayerStats(NamedTuple):
    """Mean and standard deviation over the probe images of one domain.

    Attributes:
        channels: of each channel of the maps, over images, views and positions.
        vectors: of each feature of the pooled vectors, over images.
    """

    channels: ChannelStats
    vectors: ChannelStats


class LayerFeatures:
    """Standardised features of some images, in three forms; each is computed when first asked for, and kept.

    Attributes:
        labels: (N,) int64 in 0..K-1.
        maps: (N, V, C, H, W) float16, standardised by channel. For the conv probe.
        pooled: (N, V, D) float32, `maps` averaged over a raster of `probe.linear_grid`. For the linear and k-NN probes.
        vectors: (N, D) float32, view 0 averaged over blocks until an image has at most `latents.features` values, then
            standardised by feature. For the ridge probe.
    """

    def __init__(self, run: ProbeRun, raw: np.ndarray, labels: np.ndarray, stats: LayerStats):
        self.labels = labels
        self._raw, self._stats = raw, stats
        self._grid, self._max_features = run.settings.linear_grid, run.source.max_features

    @cached_property
    def maps(self) -> np.ndarray:
        return standardise(self._raw, self._stats.channels)

    @cached_property
    def pooled(self) -> np.ndarray:
        return pool_positions(self.maps, self._grid)

    @cached_property
    def vectors(self) -> np.ndarray:
        return standardise_vectors(self.raw_vectors(), self._stats.vectors)

    def raw_vectors(self) -> np.ndarray:
        """`vectors` before they are standardised."""
        return pool_to_limit(self._raw, self._max_features)


def read_training_features(run: ProbeRun) -> tuple[LayerFeatures, LayerFeatures, LayerStats]:
    """Features of the domain's probe and validation images, and the statistics that standardise them.

    Raises:
        StageError: when features are not finite, or probe images have no mirror images.
    """
    raw = run.read("probe")
    if raw.ndim != 5 or raw.shape[1] != 2:
        raise StageError(
            f"probe features must be (N, 2, C, H, W), an image and its mirror image; got {raw.shape}. "
            f"`dvc repro` makes them."
        )
    stats = LayerStats(channel_stats(raw), vector_stats(pool_to_limit(raw, run.source.max_features)))
    images = run.domain.images
    train = LayerFeatures(run, raw, images["probe"].labels, stats)
    validation = LayerFeatures(run, run.read("validation"), images["validation"].labels, stats)
    return train, validation, stats


def read_test_features(run: ProbeRun, stats: LayerStats) -> Iterator[LayerFeatures]:
    """Features of the domain's test images, in parts that fit into memory."""
    labels = run.domain.images["test"].labels
    for start in range(0, len(labels), TEST_CHUNK):
        part = slice(start, start + TEST_CHUNK)
        yield LayerFeatures(run, run.read("test", part), labels[part], stats)
