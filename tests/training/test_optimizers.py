"""Every parameter is moved by one optimizer, and Muon moves kernels as matrices."""

import copy

import pytest
import torch
from torch import nn

from stages.controls.supervised import Classification
from stages.losses.color_classification import ColorClassification
from stages.objectives.colorization import Colorization
from stages.objectives.split_brain import SplitBrainClassification
from stages.runtime.schema import Model
from stages.training.optimizers import KernelMuon, build_optimizers, orthogonalize

MODEL = Model(block_out_channels=[8, 16], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)
CLASSES = ColorClassification(torch.eye(3)[:, :2] * 50, torch.full((3,), 1 / 3), torch.ones(3), 2, 20.0, 1)
NETWORKS = {
    "colorization": Colorization(None, None),
    "color_classification": CLASSES,
    "split_brain": SplitBrainClassification(0.5, CLASSES),
    "supervised": Classification(3),
}


def give_gradients(model: nn.Module) -> None:
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)


@pytest.mark.parametrize("name", ["adamw", "muon"])
@pytest.mark.parametrize("network", NETWORKS)
def test_one_step_moves_every_parameter(network, name):
    torch.manual_seed(0)
    model = NETWORKS[network].build(MODEL)
    before = {key: value.clone() for key, value in model.named_parameters()}
    give_gradients(model)
    for optimizer in build_optimizers(model, name, 1e-2, 0.0):
        optimizer.step()
    still = [key for key, value in model.named_parameters() if torch.equal(before[key], value)]
    assert still == []


def test_a_parameter_without_a_gradient_stays():
    model = NETWORKS["supervised"].build(MODEL)  # its decoder is not used
    before = {key: value.clone() for key, value in model.named_parameters()}
    for optimizer in build_optimizers(model, "muon", 1e-2, 0.1):
        optimizer.step()
    assert all(torch.equal(before[key], value) for key, value in model.named_parameters())


def test_muon_is_for_the_kernels_between_the_ends():
    model = NETWORKS["split_brain"].build(MODEL)
    muon, adamw = build_optimizers(model, "muon", 1e-2, 0.0)
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    moved = {names[id(kernel)] for kernel in muon.param_groups[0]["params"]}
    rest = {names[id(parameter)] for parameter in adamw.param_groups[0]["params"]}
    assert moved | rest == set(names.values()) and not moved & rest
    assert {key for key in rest if model.get_parameter(key).ndim > 1} == {
        f"halves.{half}.{end}.weight" for half in (0, 1) for end in ("encoder.conv_in", "decoder.conv_out")
    }


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Jordan's polynomial of the singular values, in float64."""
    left, singular, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    singular /= matrix.norm()
    for _ in range(5):
        singular = 3.4445 * singular - 4.775 * singular**3 + 2.0315 * singular**5
    return (left * singular) @ right


@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (60, 4, 3, 3)])  # more columns than rows, and fewer
def test_a_kernel_is_moved_as_the_matrix_of_its_outputs(shape):
    """Worked out in float64; PyTorch's Muon, which rounds to bfloat16 in between, comes near the same place."""
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.randn(shape))
    start = kernel.detach().flatten(1).clone()
    expected, mean, theirs = start.double(), torch.zeros_like(start).double(), nn.Parameter(start.clone())
    muon = KernelMuon([kernel], 0.01, 0.1)
    reference = torch.optim.Muon([theirs], 0.01, 0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        gradient = torch.randn(start.shape)
        kernel.grad, theirs.grad = gradient.view(shape).clone(), gradient.clone()
        muon.step()
        reference.step()
        mean = 0.95 * mean + 0.05 * gradient
        update = orthogonal(0.05 * gradient + 0.95 * mean)
        expected = expected * (1 - 0.01 * 0.1) - 0.01 * 0.2 * max(start.shape) ** 0.5 * update
    torch.testing.assert_close(kernel.detach().flatten(1).double(), expected, rtol=1e-5, atol=1e-6)
    assert (kernel.flatten(1) - theirs).norm() < 0.02 * (theirs - start).norm()


def test_a_resumed_muon_goes_on():
    torch.manual_seed(0)
    start, gradients = torch.randn(6, 4, 3, 3), torch.randn(3, 6, 4, 3, 3)

    def step(kernel: nn.Parameter, muon: KernelMuon, number: int) -> None:
        kernel.grad = gradients[number].clone()
        muon.step()

    kernel = nn.Parameter(start.clone())
    muon = KernelMuon([kernel], 0.01, 0.1)
    step(kernel, muon, 0)
    resumed = nn.Parameter(kernel.detach().clone())
    other = KernelMuon([resumed], 0.01, 0.1)
    other.load_state_dict(copy.deepcopy(muon.state_dict()))  # loaded without a copy
    for number in (1, 2):
        step(kernel, muon, number)
        step(resumed, other, number)
    assert torch.equal(kernel, resumed)


@pytest.mark.parametrize("shape", [(16, 36), (36, 16)])
def test_singular_values_come_near_one(shape):
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    result = orthogonalize(left @ torch.diag(torch.logspace(0, -2, 16)) @ right)
    singular = torch.linalg.svdvals(result)
    assert singular.min() > 0.65 and singular.max() < 1.25


def test_no_gradient_is_no_direction():
    assert torch.equal(orthogonalize(torch.zeros(4, 9)), torch.zeros(4, 9))


def test_small_directions_move_as_far_as_the_large_one():
    """What it is here for: AdamW's step of such a gradient is nearly all along its largest direction."""
    torch.manual_seed(0)
    gradient = 100 * torch.outer(torch.randn(8), torch.randn(36)) + torch.randn(8, 36)
    spread = {}
    for name in ("adamw", "muon"):
        layer = nn.Conv2d(4, 8, 3)
        layer.ends = []
        before = layer.weight.detach().clone()
        layer.weight.grad = gradient.reshape(8, 4, 3, 3).clone()
        for optimizer in build_optimizers(layer, name, 0.01, 0.0):
            optimizer.step()
        singular = torch.linalg.svdvals((layer.weight - before).flatten(1))
        spread[name] = (singular[-1] / singular[0]).item()
    assert spread["muon"] > 0.3
    assert spread["adamw"] < 0.2
