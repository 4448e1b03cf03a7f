"""Photographs of any size, painted by a network that knows one: its colours, few, on their lightness, whole."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from stages.color.lab import decode_lab8, lab_to_rgb, rgb_to_lab
from stages.photographs.decoding import image_to_lab8

# Beyond, a photograph is squeezed for the network: its mid block compares each position with each.
LONGEST_TO_SHORTEST = 6
BAND_PIXELS = 1 << 20


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
    photograph: Image.Image,
    paint: Callable[[torch.Tensor], torch.Tensor],
    image_size: int,
    stride: int,
    device: torch.device,
) -> Image.Image:
    """The photograph with its own lightness, pixel by pixel, and with painted colours enlarged to its size.

    Args:
        photograph: RGB, of any size.
        paint: from (1, 3, h, w) float32 Lab, of which it looks at L, to a and b, (1, 2, h, w).
        image_size: edge of the images that the network was trained on, in pixels.
        stride: what h and w have to be multiples of.

    Returns:
        RGB of the same size. Colours that sRGB cannot show at that lightness are clipped.
    """
    small = photograph.resize(network_size(*photograph.size, image_size, stride), Image.Resampling.BICUBIC)
    lab = decode_lab8(torch.from_numpy(image_to_lab8(small)[None]).to(device))
    ab = [Image.fromarray(channel) for channel in paint(lab)[0].float().cpu().numpy()]

    painted = Image.new("RGB", photograph.size)
    width, height = photograph.size
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):  # memory does not grow with the photograph
        bottom = min(height, top + rows)
        band = np.asarray(photograph.crop((0, top, width, bottom)), dtype=np.float32).transpose(2, 0, 1) / 255
        box = (0, top * small.height / height, small.width, bottom * small.height / height)
        colors = [channel.resize((width, bottom - top), Image.Resampling.BICUBIC, box) for channel in ab]
        rgb = lab_to_rgb(np.stack((rgb_to_lab(band)[0], *(np.asarray(channel) for channel in colors))))
        pixels = np.rint(rgb.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
        painted.paste(Image.fromarray(pixels), (0, top))
    return painted
