import numpy as np
import pytest
import torch

from stages.color.lab import decode_lab8
from stages.training.images import CHUNK, Images

CPU = torch.device("cpu")


@pytest.fixture
def images(tmp_path):
    """A memory map, as stages open them."""
    lab8 = np.random.default_rng(0).integers(0, 256, (CHUNK + 5, 3, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "lab.npy", lab8)
    return Images(np.load(tmp_path / "lab.npy", mmap_mode="r"), np.arange(len(lab8)))


@pytest.mark.parametrize("rows", [np.array([3, 1, CHUNK + 4]), np.s_[1:4]], ids=["rows", "slice"])
def test_a_batch_is_the_same_from_the_disk_and_from_the_device(images, rows):
    copy = images.to_device(CPU, free=4 * images.lab8.nbytes)
    assert isinstance(copy.lab8, torch.Tensor)
    assert len(copy) == len(images)
    assert copy.image_size == images.image_size == 4
    for batch in (images.batch(rows, CPU), copy.batch(rows, CPU)):
        np.testing.assert_array_equal(batch.lab.numpy(), decode_lab8(np.array(images.lab8[rows])))
        assert batch.labels.tolist() == images.labels[rows].tolist()


def test_a_batch_leaves_the_images_as_they_are(images):
    copy = images.to_device(CPU, free=4 * images.lab8.nbytes)
    copy.batch(np.s_[:4], CPU).lab.zero_()
    images.batch(np.s_[:4], CPU).lab.zero_()
    np.testing.assert_array_equal(copy.lab8.numpy(), images.lab8)
    assert copy.lab8[:4].any()


def test_images_that_would_fill_the_device_stay_where_they_are(images):
    assert images.to_device(CPU, free=2 * images.lab8.nbytes - 1) is images
