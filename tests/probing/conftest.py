import pytest

from tests.probing.signals import LAYERS, SIGNAL, features, make_manifest


@pytest.fixture
def manifest():
    return make_manifest()


@pytest.fixture
def arrays(manifest):
    return features(manifest, 2)


@pytest.fixture
def encoders(manifest):
    """Features by pretraining seed and layer: the layer that is chosen tells more than the fixed one."""
    return {
        (k, layer): features(manifest, SIGNAL[layer], 10 * k + order)
        for k in range(2)
        for order, layer in enumerate(LAYERS)
    }
