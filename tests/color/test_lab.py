import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from stages.color.lab import decode_lab8, encode_lab8, lab_to_rgb, rgb_to_lab

# Every fifth value of each channel: the cube's corners, edges and inside.
CUBE = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3, indexing="ij")).reshape(3, 52, -1) / 255


def reference(function, image):
    return np.moveaxis(function(np.moveaxis(image, 0, -1)), -1, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_scikit_image_both_ways(dtype):
    lab = reference(rgb2lab, CUBE)
    assert np.abs(rgb_to_lab(CUBE.astype(dtype)) - lab).max() < 0.01
    assert np.abs(lab_to_rgb(lab.astype(dtype)) - reference(lab2rgb, lab)).max() < 0.01 / 255
    assert rgb_to_lab(CUBE.astype(dtype)).dtype == dtype


def test_torch_and_numpy_agree():
    image = CUBE.astype(np.float32)
    np.testing.assert_allclose(rgb_to_lab(torch.from_numpy(image)).numpy(), rgb_to_lab(image), atol=1e-3)
    lab = rgb_to_lab(image)
    np.testing.assert_allclose(lab_to_rgb(torch.from_numpy(lab)).numpy(), lab_to_rgb(lab), atol=1e-5)


def test_eight_bits_are_the_rounded_reference():
    # To the rounding: half a step, which is 0.5 x 100/255 of L and 0.5 of a and b.
    lab = reference(rgb2lab, CUBE)
    error = np.abs(decode_lab8(encode_lab8(rgb_to_lab(CUBE))) - lab).max(axis=(1, 2))
    assert (error <= [0.5 * 100 / 255 + 1e-4, 0.5 + 1e-4, 0.5 + 1e-4]).all()
    exact = np.stack((lab[0] * 255 / 100, lab[1] + 128, lab[2] + 128))
    clear = np.abs(exact - np.floor(exact) - 0.5) > 1e-3
    assert (encode_lab8(rgb_to_lab(CUBE))[clear] == np.rint(exact)[clear]).all()


def test_eight_bits_and_back_keep_their_values():
    codes = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4), dtype=np.uint8)
    assert (encode_lab8(decode_lab8(codes)) == codes).all()
    assert torch.equal(decode_lab8(torch.from_numpy(codes)), torch.from_numpy(decode_lab8(codes)))


def test_gradient_is_finite_and_alive_outside_the_gamut():
    # One row far outside in each direction: too dark, too bright, too red, green, blue, yellow.
    colors = [(2, 0, 90), (99, 0, 90), (50, 127, 0), (50, -127, 0), (30, 0, -127), (60, 0, 127), (0, 0, 0)]
    lab = torch.tensor(colors, dtype=torch.float32).reshape(-1, 3, 1, 1).requires_grad_()
    rgb = lab_to_rgb(lab)
    assert ((rgb[:-1] < 0) | (rgb[:-1] > 1)).flatten(1).any(dim=1).all()
    for channel in range(3):
        (gradient,) = torch.autograd.grad(rgb[:, channel].sum(), lab, retain_graph=True)
        assert gradient.isfinite().all()
        assert (gradient.flatten(1) != 0).any(dim=1).all()


def test_gradient_is_the_slope():
    lab = torch.tensor([55.0, 20.0, -30.0], dtype=torch.float64).reshape(1, 3, 1, 1).requires_grad_()
    assert torch.autograd.gradcheck(lab_to_rgb, lab)
    rgb = torch.tensor([0.2, 0.01, 0.7], dtype=torch.float64).reshape(1, 3, 1, 1).requires_grad_()
    assert torch.autograd.gradcheck(rgb_to_lab, rgb)


def test_refuses_what_is_no_image_and_says_what_came():
    with pytest.raises(ValueError, match=r"\(\.\.\., 3, H, W\); got \(4, 4, 3\)"):
        rgb_to_lab(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match="floating-point dtype; got uint8"):
        rgb_to_lab(np.zeros((3, 4, 4), dtype=np.uint8))
