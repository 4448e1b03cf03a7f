import numpy as np
import torch

from stages.training.augmentation import augment
from stages.training.distributed import Shard


def test_augmentation_mirrors_whole_images_and_leaves_colors():
    lab = torch.rand(64, 3, 6, 6) * 60 + 20
    out, unvaried = augment(lab, jitter=0.1, crop=1.0, seed=0, epoch=0, step=0)
    kept = torch.tensor([torch.equal(a[1:], b[1:]) for a, b in zip(out, lab, strict=True)])
    mirrored = torch.tensor([torch.equal(a[1:], b[1:].flip(-1)) for a, b in zip(out, lab, strict=True)])
    assert (kept ^ mirrored).all()
    assert 16 < kept.sum() < 48
    # Lightness stays an increasing function of lightness: never inverted.
    upright = torch.where(mirrored[:, None, None], out[:, 0].flip(-1), out[:, 0]).flatten(1)
    for new, old in zip(upright, lab[:, 0].flatten(1), strict=True):
        assert (new[old.argsort()].diff() >= 0).all()
    assert not torch.equal(out, augment(lab, jitter=0.1, crop=1.0, seed=0, epoch=0, step=1)[0])
    still, _ = augment(lab, jitter=0.0, crop=1.0, seed=0, epoch=0, step=0)
    assert torch.allclose(still[kept], lab[kept], atol=1e-4)
    assert torch.equal(unvaried[kept], lab[kept])
    assert torch.equal(unvaried[:, 1:], out[:, 1:])


def test_a_cut_is_a_part_of_the_image_enlarged():
    # On a ramp from 0 to 63 a cut is a ramp again: of a slope between its edge and 1, within the image.
    ramp = torch.arange(64.0).expand(32, 3, 64, 64)
    out = augment(ramp, jitter=0.0, crop=0.5, seed=0, epoch=0, step=0)[0][:, 1]
    assert out.min() >= 0
    assert out.max() <= 63
    slopes = (out[:, 32, 40] - out[:, 32, 24]).abs() / 16
    assert slopes.min() >= 0.5 - 1e-4
    assert slopes.max() <= 1 + 1e-4
    assert slopes.min() < 0.6 < 0.9 < slopes.max()
    # The middles of the cuts differ in place.
    assert out[:, 32, 32].std() > 1


def test_another_view_has_other_draws_and_leaves_those_of_the_first_alone():
    lab = torch.rand(16, 3, 6, 6) * 60 + 20
    first, second = (augment(lab, jitter=0.1, crop=0.5, seed=7, epoch=3, step=1, view=view)[0] for view in (0, 1))
    assert all(not torch.equal(a, b) for a, b in zip(first, second, strict=True))
    mirrored = np.random.default_rng([7, 3, 2]).random((3, 16), dtype=np.float32)[0] < 0.5
    plain = augment(lab, jitter=0.0, crop=1.0, seed=7, epoch=3, step=1)[1]
    assert [torch.equal(a, b.flip(-1)) for a, b in zip(plain, lab, strict=True)] == mirrored.tolist()
    shard = augment(lab[4:9], 0.1, 0.5, 7, 3, 1, Shard(slice(4, 9), 5, 16), view=1)[0]
    assert torch.allclose(shard, second[4:9], atol=1e-4)
