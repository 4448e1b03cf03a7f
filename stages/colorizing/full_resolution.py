"""Photographs of any size, painted by a network that knows one: its colours, few, on their lightness, whole."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from stages.color.lab import decode_lab8, lab_to_rgb, rgb_to_lab
from stages.colorizing.bands import Bands, band_boxes, shrink
from stages.photographs.decoding import image_to_lab8

# Beyond, a photograph is squeezed for the network: its mid block compares each position with each.
LONGEST_TO_SHORTEST = 6
# Of sRGB's range: a colour that leaves it by less than half a level of 255 is shown as it is.
HALF_A_LEVEL = 0.5 / 255
HALVINGS = 8


def network_size(width: int, height: int, image_size: int, stride: int) -> tuple[int, int]:
    """The size at which the network sees a photograph: its shorter side as in training, the shape kept.

    Both sides are multiples of `stride`; the longer one is at most 6 times the shorter.

    >>> network_size(4000, 3000, 64, 4)
    (84, 64)
    """
    scale = image_size / min(width, height)
    longest = LONGEST_TO_SHORTEST * image_size
    across, down = (max(stride, round(min(scale * side, longest) / stride) * stride) for side in (width, height))
    return across, down


@torch.inference_mode()
def paint_photograph(
    photograph: Bands,
    paint: Callable[[torch.Tensor], torch.Tensor],
    image_size: int,
    stride: int,
    device: torch.device,
) -> Image.Image:
    """The photograph with its own lightness, pixel by pixel, and with painted colours enlarged to its size.

    Args:
        photograph: of any size; read in bands.
        paint: from (1, 3, h, w) float32 Lab, of which it looks at L, to a and b, (1, 2, h, w).
        image_size: edge of the images that the network was trained on, in pixels.
        stride: what h and w have to be multiples of.

    Returns:
        RGB of the same size. Colours that sRGB cannot show at that lightness are made calmer until it can.
    """
    small = shrink(photograph, network_size(*photograph.size, image_size, stride))
    lab = decode_lab8(torch.from_numpy(image_to_lab8(small)[None]).to(device))
    ab = [Image.fromarray(channel) for channel in paint(lab)[0].float().cpu().numpy()]

    painted = Image.new("RGB", photograph.size)
    width, height = photograph.size
    for box in band_boxes(photograph.size):
        _, top, _, bottom = box
        band = np.asarray(photograph.rgb(box), dtype=np.float32).transpose(2, 0, 1) / 255
        small_box = (0, top * small.height / height, small.width, bottom * small.height / height)
        colors = [channel.resize((width, bottom - top), Image.Resampling.BICUBIC, small_box) for channel in ab]
        rgb = _fit_gamut(np.stack((rgb_to_lab(band)[0], *(np.asarray(channel) for channel in colors))))
        pixels = np.rint(rgb.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
        painted.paste(Image.fromarray(pixels), (0, top))
    return painted


def _fit_gamut(lab: np.ndarray) -> np.ndarray:
    """sRGB of (3, H, W) Lab; where it cannot show a colour, that colour nearer to grey: lightness is not to change.

    Clipping would lighten or darken such pixels, by up to some tens of L. Colours between grey and one that sRGB can
    show can be shown, so that halving finds the limit.
    """
    rgb = lab_to_rgb(lab)
    outside = ((rgb < -HALF_A_LEVEL) | (rgb > 1 + HALF_A_LEVEL)).any(axis=0)
    if not outside.any():
        return rgb
    colors = lab[:, None, outside]  # (3, 1, n)
    inner, outer = np.zeros(colors.shape[-1], dtype=np.float32), np.ones(colors.shape[-1], dtype=np.float32)
    for _ in range(HALVINGS):
        share = (inner + outer) / 2
        tried = lab_to_rgb(np.stack((colors[0], colors[1] * share, colors[2] * share)))
        inside = ((tried >= -HALF_A_LEVEL) & (tried <= 1 + HALF_A_LEVEL)).all(axis=(0, 1))
        inner, outer = np.where(inside, share, inner), np.where(inside, outer, share)
    rgb[:, None, outside] = lab_to_rgb(np.stack((colors[0], colors[1] * inner, colors[2] * inner)))
    return rgb
