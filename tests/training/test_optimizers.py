"""Every parameter is moved by one optimizer, and Muon moves kernels as matrices."""

import pytest
import torch
from torch import nn

from stages.controls.supervised import Classification
from stages.losses.color_classification import ColorClassification
from stages.objectives.colorization import Colorization
from stages.objectives.split_brain import SplitBrainClassification
from stages.runtime.schema import Model
from stages.training import optimizers
from stages.training.optimizers import KernelMuon, build_optimizers

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
    moved = {names[id(kernel)] for kernel in muon.kernels}
    rest = {names[id(parameter)] for parameter in adamw.param_groups[0]["params"]}
    assert moved | rest == set(names.values()) and not moved & rest
    assert {key for key in rest if model.get_parameter(key).ndim > 1} == {
        f"halves.{half}.{end}.weight" for half in (0, 1) for end in ("encoder.conv_in", "decoder.conv_out")
    }


@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_a_kernel_is_moved_as_the_matrix_of_its_outputs(monkeypatch, has_bfloat16):
    """PyTorch's Muon is the reference: the same bytes in bfloat16, and in float32 the same to bfloat16's rounding."""
    monkeypatch.setattr(optimizers, "computes_bfloat16", lambda device_type: has_bfloat16)
    torch.manual_seed(0)
    for shape in ((6, 4, 3, 3), (60, 4, 3, 3)):  # more columns than rows, and fewer
        kernel, gradient = nn.Parameter(torch.randn(shape)), torch.randn(shape)
        start, matrix = kernel.detach().flatten(1).clone(), nn.Parameter(kernel.detach().clone().flatten(1))
        ours = KernelMuon([kernel], 0.01, 0.1)
        theirs = torch.optim.Muon([matrix], 0.01, 0.1, adjust_lr_fn="match_rms_adamw")
        for _ in range(3):
            kernel.grad, matrix.grad = gradient.clone(), gradient.flatten(1).clone()
            ours.step()
            theirs.step()
        assert torch.equal(kernel.flatten(1), matrix) == has_bfloat16
        torch.testing.assert_close(kernel.flatten(1) - start, matrix - start, rtol=0.05, atol=2e-4)


@pytest.mark.parametrize(("has_bfloat16", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
@pytest.mark.parametrize("shape", [(16, 36), (36, 16)])
def test_singular_values_come_near_one(monkeypatch, has_bfloat16, dtype, shape):
    """Jordan's coefficients bring a singular value of a step to 0.7 to 1.2, whatever its size."""
    monkeypatch.setattr(optimizers, "computes_bfloat16", lambda device_type: has_bfloat16)
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    matrix = left @ torch.diag(torch.logspace(0, -1, 16)) @ right
    result = optimizers.orthogonalize(matrix, (3.4445, -4.775, 2.0315), 5, 1e-7)
    assert result.dtype == dtype and result.shape == shape
    singular = torch.linalg.svdvals(result.float())
    assert singular.min() > 0.6 and singular.max() < 1.3


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
