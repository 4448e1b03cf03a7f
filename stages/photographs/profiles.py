"""Embedded colour profiles (ICC.1): how a photograph's numbers become sRGB.

By relative colorimetry with black point compensation, as colour-managed viewers show photographs; Little CMS computes.
"""

import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

from stages.photographs.greys import WIDE_MODES
from stages.photographs.unembedded import described_profile

SAME = 1  # of 255: a profile that changes no colour by more is sRGB under another name, and is not applied

# Which numbers an image of each mode has.
_NUMBERS = {
    **dict.fromkeys(("1", "L", "LA", "La"), "L"),
    **dict.fromkeys(WIDE_MODES, "I;16"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"), "RGB"),
    "CMYK": "CMYK",
    "LAB": "LAB",
}
# As which numbers a profile of each colour space takes them. A grey may have an RGB profile: editors leave it behind.
_TAKEN_AS = {
    "GRAY": {"L": "L", "I;16": "I;16"},
    "RGB": {"RGB": "RGB", "L": "RGB", "I;16": "RGB"},
    "CMYK": {"CMYK": "CMYK"},
    "LAB": {"LAB": "LAB"},
}


class ToSrgb:
    """A profile's transform to sRGB.

    Args:
        profile: an ICC profile.
        mode: of the images that it is to be applied to. `self.mode` is what they have to be converted to before.

    Raises:
        ValueError, OSError, PyCMSError: when the profile is broken, or is one of other numbers.
    """

    def __init__(self, profile: bytes, mode: str):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip().upper()
        self.mode = _TAKEN_AS.get(space, {}).get(_NUMBERS[mode])
        if self.mode is None:
            raise ValueError(f"it is one of {space}, and the photograph is {mode}")
        grey = space == "GRAY"
        # Little CMS would replace a grey's curve by 33 points: dark linear greys come out 10 of 255 too dark.
        precision = ImageCms.Flags.NOOPTIMIZE if grey else ImageCms.Flags.HIGHRESPRECALC
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            self.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION | precision,
        )
        self._apply = _Table(transform, self.mode) if grey else transform.apply

    def __call__(self, image: Image.Image) -> Image.Image:
        """RGB of an image of `self.mode`."""
        return self._apply(image)

    def is_srgb(self) -> bool:
        """Whether it hardly changes any colour."""
        if self.mode not in ("L", "I;16", "RGB"):
            return False
        steps = np.arange(0, 256, 15, dtype=np.uint8)
        before = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        if self.mode != "RGB":
            before = np.repeat(steps[None, :, None], 3, axis=-1)
        numbers = {"RGB": before, "L": before[..., 0], "I;16": before[..., 0].astype(np.uint16) * 257}[self.mode]
        after = np.asarray(self(Image.fromarray(numbers)), dtype=int)
        return int(np.abs(after - before).max()) <= SAME


class _Table:
    """Every grey's colour."""

    def __init__(self, transform: ImageCms.ImageCmsTransform, mode: str):
        greys = np.arange(256, dtype=np.uint8) if mode == "L" else np.arange(65536, dtype=np.uint16)
        self._colors = np.asarray(transform.apply(Image.fromarray(greys[None])))[0]

    def __call__(self, image: Image.Image) -> Image.Image:
        return Image.fromarray(self._colors[np.asarray(image)])


def color_profile(image: Image.Image) -> bytes | None:
    """The ICC profile of an opened image, or one of the colours that it describes in another way."""
    return image.info.get("icc_profile") or described_profile(image)


def profile_to_srgb(image: Image.Image, profile: bytes | None, tell: Callable[[str], None]) -> ToSrgb | None:
    """The transform of an image's colours, or None where its numbers are sRGB, or have to be taken for it.

    Args:
        image: opened; its mode decides whether the profile fits.
        profile: see `color_profile`.
        tell: is given a line when there is a profile that cannot be used.
    """
    if not profile:
        return None
    try:
        # A 16-bit grey PNG with transparency is RGBA to Pillow; its profile says what it is.
        grey = image.format == "PNG" and image.mode == "RGBA" and profile[16:20] == b"GRAY"
        return _cached(bytes(profile), "LA" if grey else image.mode)
    except Exception as error:  # whatever a broken profile makes of its readers
        tell(f"its colour profile cannot be used ({error}); sRGB is assumed")
        return None


@functools.lru_cache(maxsize=32)
def _cached(profile: bytes, mode: str) -> ToSrgb | None:
    transform = ToSrgb(profile, mode)
    return None if transform.is_srgb() else transform
