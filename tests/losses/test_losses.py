import urllib.error

import lpips
import numpy as np
import pytest
import torch
from skimage.color import lab2rgb

from stages.color.normalization import AB_SCALE, denormalize_ab, normalize_ab, normalize_lightness
from stages.compute.batches import Batch
from stages.controls.reconstruct_input import Reconstruction
from stages.losses.perceptual import open_lpips
from stages.losses.pixel import pixel_loss
from stages.objectives import colorization
from stages.objectives.colorization import Colorization, predicted_lab
from stages.runtime.errors import StageError
from stages.runtime.schema import Loss, Model

LOSS = dict(
    pixel="smooth_l1",
    pixel_weight=2.0,
    smooth_l1_beta=5.0,
    lpips_weight=0.5,
    lpips_net="alex",
    lpips_backbone="random",
    adversarial_weight=0.0,
    gradient_penalty=10.0,
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def metric():
    return open_lpips("alex", "random", "loss")


def ab(*values):
    return torch.tensor(values, dtype=torch.float32).reshape(1, 2, 1, -1) / AB_SCALE


@pytest.mark.parametrize(
    ("kind", "expected"),
    # Differences 2, 10, 0, -22 in a and b. Smooth L1 with beta 5: 2^2/10 = 0.4; 10 - 2.5 = 7.5; 0; 19.5.
    [
        ("l1", (2 + 10 + 0 + 22) / 4 / 110),
        ("l2", (4 + 100 + 0 + 484) / 4 / 110**2),
        ("smooth_l1", (0.4 + 7.5 + 0 + 19.5) / 4 / 110),
    ],
)
def test_pixel_losses_by_hand(kind, expected):
    loss = pixel_loss(ab(12, 20, 0, -2), ab(10, 10, 0, 20), kind, beta=5.0)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_studys_beta_is_half_the_squared_error():
    predicted, target = torch.rand(2, 1, 2, 8, 8)
    studys = pixel_loss(predicted, target, "smooth_l1", beta=AB_SCALE)
    assert torch.allclose(2 * studys, pixel_loss(predicted, target, "l2", beta=AB_SCALE))


def test_lpips_gradient_is_finite_at_no_difference_and_on_dead_features(metric):
    for image in (torch.rand(1, 3, 32, 32) * 2 - 1, torch.zeros(1, 3, 32, 32), -torch.ones(1, 3, 32, 32)):
        painted = image.clone().requires_grad_()
        metric(painted, image).sum().backward()
        assert painted.grad.isfinite().all()
    features = torch.zeros(1, 4, 2, 2, requires_grad=True)
    lpips.normalize_tensor(features).sum().backward()
    assert features.grad.isfinite().all()


def test_lpips_is_what_the_package_computes(metric):
    # The guarded root changes no value: against the formula written out (Zhang 2018, eq. 1, unweighted).
    first, second = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    total = 0
    for one, other in zip(
        metric.net(metric.scaling_layer(first)), metric.net(metric.scaling_layer(second)), strict=True
    ):
        unit = [f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10) for f in (one, other)]
        total += (unit[0] - unit[1]).square().sum(1).mean()
    assert metric(first, second).item() == pytest.approx(total.item(), rel=1e-4)


def test_the_random_backbone_is_always_the_same_and_leaves_the_generator_alone(metric):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    again = open_lpips("alex", "random", "loss")
    assert torch.equal(torch.random.get_rng_state(), before)
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(again(image, -image), metric(image, -image))


def test_a_failed_download_names_both_ways_out(monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("lpips.pretrained_networks.tv.vgg16", offline)
    with pytest.raises(StageError) as refusal:
        open_lpips("vgg", "imagenet", "evaluate")
    assert "vgg16" in str(refusal.value)
    assert "checkpoints" in str(refusal.value)
    assert "evaluate.lpips_backbone=random" in str(refusal.value)


def test_colorization_weighs_its_losses():
    objective = colorization.objective({"loss": LOSS, "chroma_stride": 1, "offsets": []}, CPU)
    lab = torch.rand(2, 3, 32, 32) * 50 + 10
    losses = objective.losses(torch.zeros(2, 2, 32, 32), Batch(lab, lab))
    assert losses["loss"].item() == pytest.approx(2 * losses["pixel"].item() + 0.5 * losses["lpips"].item(), rel=1e-5)
    perfect = objective.losses(lab[:, 1:] / AB_SCALE, Batch(lab, lab))
    assert perfect["loss"].item() == pytest.approx(0, abs=1e-5)


def test_color_at_a_stride_is_held_against_the_mean_of_its_square_and_enlarged_for_all_else():
    seen = []

    def perceptual(painted, truth):
        seen.append(painted)
        return torch.zeros(len(painted), 1, 1, 1)

    objective = Colorization(Loss(**LOSS), perceptual, stride=2)
    model = Model(block_out_channels=[8, 8], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=2)
    lab = torch.rand(2, 3, 16, 16) * 60 + 10
    assert objective.build(model)(lab).shape == (2, 2, 8, 8)
    means = lab[:, 1:].unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(-1, -2)) / AB_SCALE
    assert objective.losses(means, Batch(lab, lab))["pixel"].item() == pytest.approx(0, abs=1e-7)
    assert objective.losses(means + 0.1, Batch(lab, lab))["pixel"].item() > 0.01
    assert seen[-1].shape == (2, 3, 16, 16)
    # What LPIPS sees is what the network paints.
    network = objective.build(model)
    colored = predicted_lab(network(lab), lab)
    assert torch.equal(colored[:, :1], lab[:, :1])
    assert torch.allclose(colored[:, 1:], network.predict_ab(lab, 1.0), atol=1e-4)


def test_targets_and_outputs_are_scaled_alike():
    lab = torch.rand(2, 3, 8, 8) * 200 - 100
    assert torch.allclose(denormalize_ab(normalize_ab(lab)), lab[:, 1:], atol=1e-4)
    assert normalize_ab(lab).abs().max() < 1


def test_lpips_sees_the_true_lightness_with_the_painted_colors(monkeypatch):
    seen = []

    def perceptual(painted, truth):
        seen.extend((painted, truth))
        return torch.zeros(len(painted), 1, 1, 1)

    lab = torch.tensor([60.0, 20.0, -30.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    Colorization(Loss(**LOSS), perceptual).losses(torch.zeros(1, 2, 4, 4), Batch(lab, lab))
    grey = lab2rgb(np.array([60.0, 0.0, 0.0]).reshape(1, 1, 3)).ravel()
    color = lab2rgb(np.array([60.0, 20.0, -30.0]).reshape(1, 1, 3)).ravel()
    for image, rgb in zip(seen, (grey, color), strict=True):
        np.testing.assert_allclose(image[0, :, 0, 0], rgb * 2 - 1, atol=1e-4)


def test_without_a_weight_lpips_is_not_opened(monkeypatch):
    monkeypatch.setattr("stages.objectives.colorization.open_lpips", None)
    objective = colorization.objective({"loss": LOSS | {"lpips_weight": 0.0}, "chroma_stride": 1, "offsets": []}, CPU)
    assert "lpips" not in objective.losses(torch.zeros(1, 2, 32, 32), Batch(torch.zeros(1, 3, 32, 32), None))


def test_reconstruction_sees_and_makes_lightness_only():
    lab = torch.rand(2, 3, 8, 8) * 100
    assert normalize_lightness(
        torch.tensor([0.0, 50, 100]).reshape(3, 1, 1, 1).expand(3, 3, 1, 1)
    ).flatten().tolist() == [
        -1,
        0,
        1,
    ]
    assert Reconstruction("lightness").losses(normalize_lightness(lab), Batch(lab, lab))["loss"].item() == 0
    other = torch.cat((lab[:, :1], lab[:, 1:] + 9), dim=1)
    output, objective = torch.zeros(2, 1, 8, 8), Reconstruction("lightness")
    assert objective.losses(output, Batch(lab, lab)) == objective.losses(output, Batch(other, other))
