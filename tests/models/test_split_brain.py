import torch

from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain


def test_a_split_brain_sees_lightness_with_one_half_and_color_with_the_other():
    halves = [Autoencoder(channels, 2, [4, 4, 4], 1, 2, 4) for channels in ("lightness", "ab")]
    model = SplitBrain(*halves).eval()
    lab = torch.rand(2, 3, 32, 32) * 60 + torch.tensor([20.0, -30, -30]).reshape(3, 1, 1)
    latents = model.encode(lab)
    assert latents.shape == (2, 4, 8, 8)
    brighter, redder = lab.clone(), lab.clone()
    brighter[:, 0] += 15
    redder[:, 1] += 15
    assert torch.equal(model.encode(brighter)[:, 2:], latents[:, 2:])
    assert not torch.equal(model.encode(brighter)[:, :2], latents[:, :2])
    assert torch.equal(model.encode(redder)[:, :2], latents[:, :2])
    assert not torch.equal(model.encode(redder)[:, 2:], latents[:, 2:])
    assert torch.equal(model.activations(lab)["latent"], latents)
