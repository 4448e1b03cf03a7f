import pytest

from tests.probing.signals import make_manifest


@pytest.fixture
def manifest():
    return make_manifest()
