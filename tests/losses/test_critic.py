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


def update(adversary, painted, true, seed):
    alone = Processes()
    return adversary.update(painted, true, seed, alone.shard(len(true)), alone)


def test_it_learns_to_tell_painted_from_true_and_then_asks_for_the_true():
    torch.manual_seed(0)
    adversary = Critic(1.0, 10.0, CPU)
    true, painted = lab_images(16, colorful=True), lab_images(16, colorful=False)
    distances = [update(adversary, painted, true, [0, step]).item() for step in range(60)]
    assert distances[-1] > distances[0] + 0.1
    assert adversary.loss(true) < adversary.loss(painted)

    ab = painted[:, 1:].clone().requires_grad_()
    adversary.loss(torch.cat((painted[:, :1], ab), dim=1)).backward()
    # Downhill is towards the colours of the true images.
    assert (-ab.grad).sum() > 0


def test_the_penalty_holds_the_slope_near_one():
    slopes = {}
    for penalty in (0.0, 10.0):
        torch.manual_seed(0)
        adversary = Critic(1.0, penalty, CPU)
        true, painted = lab_images(8, colorful=True), lab_images(8, colorful=False)
        for step in range(150):
            update(adversary, painted, true, [0, step])
        between = normalize_lab((true + painted) / 2, "lab").requires_grad_()
        scores = adversary.critic(between).mean(dim=(1, 2, 3))
        (slope,) = torch.autograd.grad(scores.sum(), between)
        slopes[penalty] = slope.flatten(1).norm(dim=1).mean().item()
    assert 0.5 < slopes[10.0] < 2
    assert slopes[0.0] > 2


def test_its_state_goes_on_where_it_was():
    true, painted = lab_images(4, colorful=True), lab_images(4, colorful=False)
    torch.manual_seed(0)
    first = Critic(1.0, 10.0, CPU)
    update(first, painted, true, [0, 0])
    torch.manual_seed(1)
    second = Critic(1.0, 10.0, CPU)
    second.resume(copy.deepcopy(first.state()))
    assert update(first, painted, true, [0, 1]) == update(second, painted, true, [0, 1])
    assert torch.equal(first.loss(painted), second.loss(painted))
    # Another place of measuring the slope is another step.
    second.resume(copy.deepcopy(first.state()))
    update(first, painted, true, [0, 2])
    update(second, painted, true, [0, 3])
    assert not torch.equal(first.loss(painted), second.loss(painted))
