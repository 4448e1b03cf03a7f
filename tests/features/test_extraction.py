import numpy as np
import pytest
import torch

from stages.classifiers.standardization import channel_stats, standardise
from stages.compute.batches import load_batch
from stages.features.extraction import extract_features, layer_shapes
from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.runtime.errors import StageError

ARRAY = np.random.default_rng(0).integers(0, 256, (70, 3, 8, 8), dtype=np.uint8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Autoencoder("lightness", 2, [8, 8], 1, 4, 4).eval()


def test_views_are_the_image_and_its_mirror_image(model):
    latents = np.zeros((70, 2, 4, 4, 4), dtype=np.float16)
    extract_features(model, ARRAY, {"latent": latents}, "float32")
    lab = load_batch(ARRAY, np.s_[:], torch.device("cpu"))
    with torch.inference_mode():
        expected = [model.encode(view).numpy() for view in (lab, lab.flip(-1))]
    np.testing.assert_allclose(latents, np.stack(expected, axis=1), atol=2e-3)
    # The encoder is not equivariant to mirroring: mirrored latents would be something else.
    assert np.abs(latents[:, 1] - latents[:, 0, :, :, ::-1]).max() > 0.01


def test_color_is_not_seen(model):
    grey = ARRAY.copy()
    grey[:, 1:] = 128
    first, second = np.zeros((2, 70, 1, 4, 4, 4), dtype=np.float16)
    extract_features(model, ARRAY, {"latent": first}, "float32")
    extract_features(model, grey, {"latent": second}, "float32")
    np.testing.assert_array_equal(first, second)


def test_what_float16_cannot_hold_is_refused(model):
    with torch.no_grad():
        model.to_latents.weight *= 1e8
    with pytest.raises(StageError, match="'latent' of the encoder exceeds float16's range"):
        extract_features(model, ARRAY, {"latent": np.zeros((70, 1, 4, 4, 4), dtype=np.float16)}, "float32")


def test_layers_are_averaged_until_they_have_few_enough_values(model):
    # down_0 is 8 x 4 x 4 of an 8 x 8 image: 128 values, 32 after averaging over 2 x 2. The latent stays as it is.
    shapes = layer_shapes(model, ["down_0", "latent"], 8, features=64)
    assert shapes == {"down_0": (8, 2, 2), "latent": (4, 4, 4)}
    outputs = {layer: np.zeros((70, 1, *shape), dtype=np.float16) for layer, shape in shapes.items()}
    extract_features(model, ARRAY, outputs, "float32")
    with torch.inference_mode():
        maps = model.activations(load_batch(ARRAY, np.s_[:], torch.device("cpu")))["down_0"].numpy()
    means = maps.reshape(70, 8, 2, 2, 2, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(outputs["down_0"][:, 0], means, atol=2e-3)


@pytest.mark.parametrize("halves", [1, 2])
def test_a_hypercolumn_is_all_layers_on_the_grid_of_the_smallest(halves):
    # Of an 8 x 8 image: down_0 8 x 4 x 4, down_1, mid 8 x 4 x 4 each, the latent 4 x 4 x 4; of 3 blocks down_0 is 4 x 4
    # and the others 2 x 2. So 8 + 8 + 8 + 8 + 4 = 36 channels of 2 x 2 values; twice as many of two halves.
    torch.manual_seed(0)
    nets = [Autoencoder(channels, 2, [8, 8, 8], 1, 4, 4).eval() for channels in ("lightness", "ab")[:halves]]
    model = nets[0] if halves == 1 else SplitBrain(*nets)
    with torch.no_grad():
        nets[0].encoder.down_blocks[0].resnets[0].conv2.weight *= 50  # a scale of its own
    shapes = layer_shapes(model, ["hypercolumn"], 8, features=9000)
    assert shapes == {"hypercolumn": (36 * halves, 2, 2)}
    assert layer_shapes(model, ["hypercolumn"], 8, features=4 * 36 * halves - 1) == {"hypercolumn": (36 * halves, 1, 1)}
    outputs = {"hypercolumn": np.zeros((70, 1, *shapes["hypercolumn"]), dtype=np.float16)}
    extract_features(model, ARRAY, outputs, "float32")
    with torch.inference_mode():
        maps = model.activations(load_batch(ARRAY, np.s_[:], torch.device("cpu")))
    found = outputs["hypercolumn"][:, 0]
    first = maps["down_0"].numpy().reshape(70, 8 * halves, 2, 2, 2, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(found[:, : 8 * halves], first, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(found[:, -4 * halves :], maps["latent"].numpy(), rtol=2e-3, atol=2e-3)
    # As probes see it every channel has one scale.
    standardised = standardise(outputs["hypercolumn"], channel_stats(outputs["hypercolumn"])).astype(np.float32)
    np.testing.assert_allclose(standardised.mean(axis=(0, 1, 3, 4)), 0, atol=0.01)
    np.testing.assert_allclose(standardised.std(axis=(0, 1, 3, 4)), 1, atol=0.01)
