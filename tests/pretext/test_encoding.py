import numpy as np
import pytest
import torch

from stages.color.scaling import lightness_input
from stages.pretext.autoencoder import Autoencoder
from stages.pretext.batches import load_batch
from stages.pretext.encoding import encode
from stages.shared.errors import StageError

ARRAY = np.random.default_rng(0).integers(0, 256, (70, 3, 8, 8), dtype=np.uint8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Autoencoder(1, 2, [8, 8], 1, 4, 4).eval()


def test_views_are_the_image_and_its_mirror_image(model):
    latents = np.zeros((70, 2, 4, 4, 4), dtype=np.float16)
    encode(model, ARRAY, latents, "float32")
    lightness = lightness_input(load_batch(ARRAY, np.s_[:], torch.device("cpu")))
    with torch.inference_mode():
        expected = [model.encode(view).numpy() for view in (lightness, lightness.flip(-1))]
    np.testing.assert_allclose(latents, np.stack(expected, axis=1), atol=2e-3)
    # The encoder is not equivariant to mirroring: mirrored latents would be something else.
    assert np.abs(latents[:, 1] - latents[:, 0, :, :, ::-1]).max() > 0.01


def test_color_is_not_seen(model):
    grey = ARRAY.copy()
    grey[:, 1:] = 128
    first, second = np.zeros((2, 70, 1, 4, 4, 4), dtype=np.float16)
    encode(model, ARRAY, first, "float32")
    encode(model, grey, second, "float32")
    np.testing.assert_array_equal(first, second)


def test_what_float16_cannot_hold_is_refused(model):
    with torch.no_grad():
        model.to_latents.weight *= 1e8
    with pytest.raises(StageError, match="exceed float16's range"):
        encode(model, ARRAY, np.zeros((70, 1, 4, 4, 4), dtype=np.float16), "float32")
