import copy

import torch

from stages.color.normalization import normalize_lab
from stages.losses.critic import Critic
from stages.training.distributed import Processes

CPU = torch.device("cpu")


def lab_images(count, colorful):
    torch.manual_seed(count)
    lab = torch.rand(count, 3, 16, 16) * 60 + 20
    lab[:, 1:] = 60 if colorful else 0
    return lab


def update(critic, generated, true, seed):
    alone = Processes()
    return critic.step(generated, true, seed, alone.shard(len(true)), alone)


def test_it_learns_to_tell_generated_from_true_and_then_asks_for_the_true():
    torch.manual_seed(0)
    critic = Critic(10.0, CPU)
    true, generated = lab_images(16, colorful=True), lab_images(16, colorful=False)
    distances = [update(critic, generated, true, [0, step]).item() for step in range(60)]
    assert distances[-1] > distances[0] + 0.1
    assert critic.generator_loss(true) < critic.generator_loss(generated)

    ab = generated[:, 1:].clone().requires_grad_()
    critic.generator_loss(torch.cat((generated[:, :1], ab), dim=1)).backward()
    # Downhill is towards the colours of the true images.
    assert (-ab.grad).sum() > 0


def test_the_penalty_holds_the_slope_near_one():
    slopes = {}
    for penalty in (0.0, 10.0):
        torch.manual_seed(0)
        critic = Critic(penalty, CPU)
        true, generated = lab_images(8, colorful=True), lab_images(8, colorful=False)
        for step in range(150):
            update(critic, generated, true, [0, step])
        between = normalize_lab((true + generated) / 2, "lab").requires_grad_()
        scores = critic.network(between).mean(dim=(1, 2, 3))
        (slope,) = torch.autograd.grad(scores.sum(), between)
        slopes[penalty] = slope.flatten(1).norm(dim=1).mean().item()
    assert 0.5 < slopes[10.0] < 2
    assert slopes[0.0] > 2


def test_its_state_goes_on_where_it_was():
    true, generated = lab_images(4, colorful=True), lab_images(4, colorful=False)
    torch.manual_seed(0)
    first = Critic(10.0, CPU)
    update(first, generated, true, [0, 0])
    torch.manual_seed(1)
    second = Critic(10.0, CPU)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert update(first, generated, true, [0, 1]) == update(second, generated, true, [0, 1])
    assert torch.equal(first.generator_loss(generated), second.generator_loss(generated))
    # Another place of measuring the slope is another step.
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    update(first, generated, true, [0, 2])
    update(second, generated, true, [0, 3])
    assert not torch.equal(first.generator_loss(generated), second.generator_loss(generated))
