"""How many epochs take the arithmetic of another training."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from stages.training.budget import equal_compute, image_flops
from stages.training.objective import Objective
from tests.training.test_loop import MODEL, SETTINGS


@dataclass
class Convolutions(Objective):
    """Some 1 x 1 convolutions, 3 -> 3 channels, one after the other."""

    layers: int

    def build(self, model):
        return nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(self.layers)))

    def losses(self, output, batch):
        return {"loss": output.mean()}


@pytest.mark.parametrize("layers", [1, 2])
def test_flops_of_an_image_are_counted_forward_and_backward(layers):
    # 2 x 3 x 3 x 64 positions forward; as many for each gradient of weights, and of each input but the image.
    assert image_flops(Convolutions(layers), MODEL, 8, batch_size=4) == 1152 * (3 * layers - 1)


def test_epochs_take_as_many_flops_and_are_rounded_up():
    # 5 times 1,152 FLOPs against 2 times: 3 epochs of the one are 7.5 of the other.
    settings, sentence = equal_compute(SETTINGS, Convolutions(1), Convolutions(2), MODEL, 8)
    assert settings.epochs == 8
    assert "8 epochs" in sentence
    assert vars(settings) | {"epochs": 3} == vars(SETTINGS)


def test_nothing_is_drawn_from_the_generator_that_draws_the_weights():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    equal_compute(SETTINGS, Convolutions(1), Convolutions(2), MODEL, 8)
    assert torch.equal(torch.rand(1), expected)
