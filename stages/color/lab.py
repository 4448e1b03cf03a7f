"""sRGB and CIE Lab, both ways, for NumPy arrays and torch tensors alike.

CIE 15:2004, section 8.2.1, with the D65 white of the 2-degree observer; sRGB by IEC 61966-2-1.
The constants are scikit-image's, so that `skimage.color.rgb2lab` is the reference to agree with.
The channel axis is the third from the end: (..., 3, H, W).
"""

import numpy as np

WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
RGB_FROM_XYZ = np.linalg.inv(XYZ_FROM_RGB)
# CIE's epsilon (6/29)^3, its cube root, and the line below it, at the digits that scikit-image uses.
EPSILON, F_OF_EPSILON, SLOPE, OFFSET = 0.008856, 0.2068966, 7.787, 16 / 116


def rgb_to_lab(rgb):
    """CIE Lab of sRGB.

    Args:
        rgb: (..., 3, H, W), floating point, gamma-encoded sRGB in [0, 1].

    Returns:
        The same shape and kind: L in 0..100, a in -86.2..98.3, b in -107.9..94.5.

    Raises:
        ValueError: when the third axis from the end is not 3 long, or the dtype is not floating point.

    >>> rgb_to_lab(np.ones((3, 1, 1))).ravel().round(1) + 0.0
    array([100.,   0.,   0.])
    """
    xp = _namespace(rgb)
    linear = xp.where(rgb > 0.04045, ((xp.clip(rgb, 0.04045, None) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    relative = _mix(xp, XYZ_FROM_RGB / WHITE_D65[:, None], linear)
    f = xp.where(relative > EPSILON, xp.clip(relative, EPSILON, None) ** (1 / 3), SLOPE * relative + OFFSET)
    x, y, z = f[..., 0, :, :], f[..., 1, :, :], f[..., 2, :, :]
    return xp.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-3)


def lab_to_rgb(lab):
    """sRGB of CIE Lab, not clipped: colours that sRGB cannot show fall outside [0, 1].

    The transfer curve's line is continued below 0 and its power above 1, so gradients stay finite and
    alive there: a painted colour that has left the gamut can be pulled back.

    Args:
        lab: (..., 3, H, W), floating point, L in 0..100.

    Returns:
        The same shape and kind: gamma-encoded sRGB, in [0, 1] for colours that sRGB can show.

    Raises:
        ValueError: when the third axis from the end is not 3 long, or the dtype is not floating point.

    >>> lab_to_rgb(np.array([100.0, 0.0, 0.0]).reshape(3, 1, 1)).ravel().round(3)
    array([1., 1., 1.])
    """
    xp = _namespace(lab)
    lightness, a, b = lab[..., 0, :, :], lab[..., 1, :, :], lab[..., 2, :, :]
    y = (lightness + 16) / 116
    f = xp.stack((y + a / 500, y, y - b / 200), axis=-3)
    relative = xp.where(f > F_OF_EPSILON, f**3, (f - OFFSET) / SLOPE)
    linear = _mix(xp, RGB_FROM_XYZ * WHITE_D65, relative)
    # The clip keeps the power finite where the line is taken: `where` alone would pass on 0 * inf.
    power = 1.055 * xp.clip(linear, 0.0031308, None) ** (1 / 2.4) - 0.055
    return xp.where(linear > 0.0031308, power, 12.92 * linear)


def encode_lab8(lab: np.ndarray) -> np.ndarray:
    """8-bit Lab, the pipeline's stored form: L x 255/100, a + 128, b + 128, rounded.

    Args:
        lab: (..., 3, H, W), floating point, L in 0..100, a and b in -128..127.

    Returns:
        (..., 3, H, W) uint8.

    >>> encode_lab8(np.array([60.0, 0.0, -10.4]).reshape(3, 1, 1)).ravel()
    array([153, 128, 118], dtype=uint8)
    """
    lightness, ab = lab[..., :1, :, :] * 2.55, lab[..., 1:, :, :] + 128
    return np.clip(np.rint(np.concatenate((lightness, ab), axis=-3)), 0, 255).astype(np.uint8)


def decode_lab8(lab8):
    """Lab of its 8-bit form.

    Args:
        lab8: (..., 3, H, W) uint8, a NumPy array or a torch tensor.

    Returns:
        The same shape and kind, float32: L in 0..100, a and b in -128..127.

    >>> decode_lab8(np.array([255, 128, 118], dtype=np.uint8).reshape(3, 1, 1)).ravel()
    array([100.,   0., -10.], dtype=float32)
    """
    lab = lab8.astype(np.float32) if isinstance(lab8, np.ndarray) else lab8.float()
    lab[..., 0, :, :] /= 2.55
    lab[..., 1:, :, :] -= 128
    return lab


def _namespace(image):
    """NumPy or torch, whichever `image` is of; torch is not imported for NumPy's sake."""
    if image.ndim < 3 or image.shape[-3] != 3:
        raise ValueError(f"an image must have the shape (..., 3, H, W); got {tuple(image.shape)}")
    if isinstance(image, np.ndarray):
        floating, xp = np.issubdtype(image.dtype, np.floating), np
    else:
        import torch as xp

        floating = image.is_floating_point()
    if not floating:
        raise ValueError(f"an image must have a floating-point dtype; got {image.dtype}")
    return xp


def _mix(xp, matrix: np.ndarray, image):
    """Multiply the channels of (..., 3, H, W) by a 3 x 3 matrix, in the image's precision."""
    red, green, blue = image[..., 0, :, :], image[..., 1, :, :], image[..., 2, :, :]
    rows = [float(r) * red + float(g) * green + float(b) * blue for r, g, b in matrix]
    return xp.stack(rows, axis=-3)
