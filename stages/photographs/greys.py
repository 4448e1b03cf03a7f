"""Greys of any depth, scaled to 0..1: integers of 8 to 32 bits, floating point, WhiteIsZero.

What is white is seldom written down. TIFF has tags for the smallest and the largest sample, which are taken at their
word unless a pixel lies outside. Else the numbers tell: what a 12-bit sensor saw is stored in 16 bits as it is, and no
sample is above 4095. Where neither tells, the photograph is refused, as it would come out black, white or flat.
"""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT

from stages.photographs.refusal import Refused

WIDE_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
MIN_SAMPLE, MAX_SAMPLE, S_MIN_SAMPLE, S_MAX_SAMPLE = 280, 281, 340, 341
SCALED_BY_PILLOW = ("PPM", "JPEG2000")  # to 16 bits, from what the file says
WHITE_IS_ZERO, UNSIGNED, SIGNED = 0, 1, 2

# Resampling overshoots: so far beyond white, or below black, in parts of the range, floating-point greys are clipped.
OVERSHOOT = 0.2
# Greys that come this close to the white of 14 bits are of a 14-bit sensor, not of a dark 16-bit photograph.
NEARLY_WHITE = 0.95
DARKEST = 1 / 16  # of the nominal range, below which 32-bit integers are not known to use it
BAND_PIXELS = 1 << 20


def scale_greys(image: Image.Image, managed: bool, tell: Callable[[str], None]) -> Callable[[Image.Image], np.ndarray]:
    """How the greys of a photograph become 0 (black) to 1 (white).

    Args:
        image: decoded, of one of WIDE_MODES; read once, in bands.
        managed: it has a colour profile, whose white is the end of the nominal range.
        tell: is given a line when the range was concluded from the pixels.

    Returns:
        From any part of the image, (H, W), to float32 (H, W) in 0..1.

    Raises:
        Refused: for numbers that are not finite, and where black and white cannot be known.
    """
    tags = getattr(image, "tag_v2", {})
    unsigned = image.mode == "I" and _tag(tags, SAMPLEFORMAT, UNSIGNED) == UNSIGNED and _bits(tags) == 32
    low, high = _extremes(image, unsigned)
    black, white = _tagged_range(tags, low, high) or (0, _white(image, tags, low, high, managed, tell))
    inverted = tags.get(PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO

    def scale(part: Image.Image) -> np.ndarray:
        values = (_numbers(part, unsigned).astype(np.float64) - black) / (white - black)
        return np.clip(1 - values if inverted else values, 0, 1).astype(np.float32)

    return scale


def _numbers(part: Image.Image, unsigned: bool) -> np.ndarray:
    numbers = np.asarray(part)
    return numbers.view(np.uint32) if unsigned else numbers


def _extremes(image: Image.Image, unsigned: bool) -> tuple[float, float]:
    low, high, undefined = np.inf, -np.inf, 0
    for band in _bands(image):
        numbers = _numbers(band, unsigned)
        if image.mode == "F":
            undefined += np.count_nonzero(~np.isfinite(numbers))
        low, high = min(low, numbers.min()), max(high, numbers.max())
    if undefined:
        raise Refused(
            f"{undefined:,} of its pixels are not finite numbers (NaN or infinity): no grey is known for them"
        )
    return float(low), float(high)


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    width, height = image.size
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield image.crop((0, top, width, min(height, top + rows)))


def _tagged_range(tags, low: float, high: float) -> tuple[float, float] | None:
    for smallest, largest in ((S_MIN_SAMPLE, S_MAX_SAMPLE), (MIN_SAMPLE, MAX_SAMPLE)):
        black, white = _tag(tags, smallest, 0), _tag(tags, largest, None)
        if white is not None and black < white and black <= low and high <= white:
            return black, white
    return None


def _white(image, tags, low: float, high: float, managed: bool, tell: Callable[[str], None]) -> float:
    """The number that is white, where black is 0."""
    if image.mode == "F":
        return _floating_white(low, high, managed)
    if low < 0:
        raise Refused(
            f"its greys go from {low:,.0f} to {high:,.0f}, and where black lies below 0 is not known: save it with "
            "unsigned greys"
        )
    bits = _bits(tags)
    nominal = 2 ** (bits - (_tag(tags, SAMPLEFORMAT, UNSIGNED) == SIGNED)) - 1
    if managed or bits not in (16, 32) or image.format in SCALED_BY_PILLOW:
        return nominal
    if high < 2**16:
        white = min(_sensor_white(high), nominal)
    elif 2**24 * DARKEST <= high < 2**24:
        white = 2**24 - 1
    elif high >= nominal * DARKEST:
        white = nominal
    else:
        raise Refused(
            f"its 32-bit greys end at {high:,.0f}, and what is white is not known (255, 65,535, {2**24 - 1:,} and "
            f"{nominal:,} are usual): save it with 8 or 16 bits"
        )
    if white < nominal:
        tell(f"its {bits}-bit greys end at {high:,.0f}: {white:,} is taken for white")
    return white


def _sensor_white(high: float) -> int:
    for bits in (8, 10, 12):
        if high < 2**bits:
            return 2**bits - 1
    return 2**14 - 1 if NEARLY_WHITE * 2**14 <= high < 2**14 else 2**16 - 1


def _floating_white(low: float, high: float, managed: bool) -> float:
    # With a profile white is 1, and lights may be brighter.
    if high <= 1 + OVERSHOOT or (managed and high < 255 * DARKEST):
        white = 1
    elif 255 * DARKEST <= high <= 255 * (1 + OVERSHOOT):
        white = 255
    elif 255 < high <= 65535 * (1 + OVERSHOOT):
        white = _sensor_white(min(high, 65535))
    else:
        raise Refused(
            f"its floating-point greys end at {high:,.4g}, and what is white is not known (1, 255 and 65,535 are "
            "usual): save it with 8 or 16 bits"
        )
    if low < -OVERSHOOT * white:
        raise Refused(f"its floating-point greys begin at {low:,.4g}, and where black lies below 0 is not known")
    return white


def _bits(tags) -> int:
    """As the file says; without tags, all that Pillow opens has 16."""
    return _tag(tags, BITSPERSAMPLE, 16)


def _tag(tags, number: int, default):
    value = tags.get(number, default)
    value = value[0] if isinstance(value, tuple) else value
    return value if isinstance(value, int | float) else default
