"""The loss against values worked out by hand, and against lightly's."""

import pytest
import torch

from stages.compute.batches import Batch
from stages.controls.vicreg import VICReg, vicreg_losses
from stages.training.distributed import Shard


@pytest.mark.parametrize(
    ("first", "second", "invariance", "variance", "covariance"),
    [
        # Deviations of 2 ** 0.5 and more: no hinge. The covariance of each view is 2 and -2; its square twice, over D.
        ([[1.0, 1], [-1, -1]], [[1.0, -1], [-1, 1]], 2.0, 0.0, 8.0),
        # Collapsed: a variance of 0 is a deviation of 0.01, so the hinge is 0.99 in both views.
        ([[3.0, 4], [3, 4]], [[3.0, 4], [3, 4]], 0.0, 0.99, 0.0),
        # The second dimension alone has collapsed: half of the hinge. Another view of the same.
        ([[1.0, 0], [-1, 0]], [[1.0, 1], [-1, 1]], 0.5, 0.99 / 2, 0.0),
    ],
)
def test_terms_by_hand(first, second, invariance, variance, covariance):
    losses = vicreg_losses(torch.tensor(first).double(), torch.tensor(second).double())
    terms = {"invariance": invariance, "variance": variance, "covariance": covariance}
    assert {name: losses[name].item() for name in terms} == pytest.approx(terms, abs=1e-12)
    assert losses["loss"].item() == pytest.approx(25 * invariance + 25 * variance + covariance)


def test_it_is_lightlys_loss():
    VICRegLoss = pytest.importorskip("lightly.loss").VICRegLoss
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(16, 8, generator=generator, dtype=torch.float64) * 0.7 for _ in range(2))
    theirs = VICRegLoss()(first, second)
    assert vicreg_losses(first, second)["loss"].item() == pytest.approx(theirs.item(), rel=1e-9)


def test_a_batch_of_one_image_has_a_finite_loss():
    image = torch.ones(1, 4, dtype=torch.float64, requires_grad=True)
    loss = vicreg_losses(image, image)["loss"]
    loss.backward()
    assert loss.item() == pytest.approx(25 * 0.99)
    assert image.grad.isfinite().all()


def test_the_two_views_of_an_image_are_a_batchs_halves():
    lab = torch.arange(1.0, 9)[:, None, None, None].expand(8, 3, 8, 8) * 10
    batch = VICReg().views(Batch(lab, lab), [0, 0, 0], Shard(slice(None), 8, 8))
    first, second = batch.lab.chunk(2)
    # a and b of these images are constant: neither crop nor jitter changes them.
    assert torch.allclose(first[:, 1:], lab[:, 1:])
    assert torch.allclose(second[:, 1:], lab[:, 1:])
    assert not torch.isclose(first[:, 0], second[:, 0]).all(dim=(1, 2)).any()
