import numpy as np
import pytest

from stages.classifiers import standardization
from stages.classifiers.standardization import channel_stats, standardise
from stages.runtime.errors import StageError


def test_chunks_do_not_show(monkeypatch):
    values = np.random.default_rng(0).normal(3, 1, (5, 2, 3, 8, 8)).astype(np.float16)
    stats = channel_stats(values)
    standardised = standardise(values, stats)
    monkeypatch.setattr(standardization, "CHUNK_VALUES", 300)
    np.testing.assert_allclose(channel_stats(values), stats, rtol=1e-6)
    np.testing.assert_array_equal(standardise(values, stats), standardised)


def test_every_channel_gets_mean_0_and_variance_1():
    scale = np.array([0.01, 1, 200])[:, None, None]
    values = (np.random.default_rng(0).normal(3, 1, (50, 2, 3, 4, 4)) * scale).astype(np.float16)
    found = standardise(values, channel_stats(values)).astype(float)
    np.testing.assert_allclose(found.mean(axis=(0, 1, 3, 4)), 0, atol=2e-3)
    np.testing.assert_allclose(found.std(axis=(0, 1, 3, 4)), 1, atol=2e-3)


@pytest.mark.parametrize("constant", [0, 1, 100])
def test_a_constant_channel_and_its_rounding_stay_small(constant):
    values = np.full((10, 2, 1, 4, 4), constant, dtype=np.float16)
    values[0, 0, 0, 0, 0] = np.nextafter(values[0, 0, 0, 0, 0], np.float16(np.inf))
    assert np.abs(standardise(values, channel_stats(values))).max() <= 1


def test_values_that_are_not_finite_are_refused():
    good = np.ones((4, 1, 2, 3, 3), dtype=np.float16)
    bad = good.copy()
    bad[2, 0, 1] = np.inf
    with pytest.raises(StageError, match="not finite"):
        channel_stats(bad)
    with pytest.raises(StageError, match="not finite"):
        standardise(bad, channel_stats(good))
