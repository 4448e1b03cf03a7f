"""Draws the images of the built-in sample: a dish on a plate on a table.

Table, plate, position, size, rotation and light are random and independent of the class. A scene is composed from the
table upwards. In every function x and y are coordinates (H, W) in units of the plate's radius, and a picture is
float64 (H, W, 3), 0..255.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from stages.source.dishes import Dish
from stages.source.textures import TURN, smooth_step

LONGEST_SIDE = 96
SUPERSAMPLING = 4


def draw_dish(dish: Dish, rng: np.random.Generator) -> np.ndarray:
    """Draw one image, uint8 (H, W, 3), sRGB; the longer side has 96 pixels, the other 72 to 96.

    Computed in float64, so that differences in the last bit between processors practically never reach the rounded
    pixels.
    """
    short = int(rng.integers(72, LONGEST_SIDE + 1))
    height, width = (short, LONGEST_SIDE) if rng.random() < 0.6 else (LONGEST_SIDE, short)
    radius = short * rng.uniform(0.40, 0.56)
    centre = np.array([width, height]) / 2 + short * rng.uniform(-0.1, 0.1, 2)
    y, x = np.mgrid[:height, :width] + 0.5
    x, y = (x - centre[0]) / radius, (y - centre[1]) / radius
    light = _direction(rng)

    picture = _table(x, y, rng)
    picture = _plate(picture, x, y, radius, light, rng)
    picture = _food(picture, x, y, centre, radius, light, dish, rng)
    lit = rng.uniform(0.7, 1.12) * (1 + rng.uniform(0, 0.2) * (x * light[0] + y * light[1]))
    warmth = 1 + rng.uniform(-0.04, 0.04) * np.array([1, 0, -1])
    return np.clip(np.rint(picture * lit[..., None] * warmth), 0, 255).astype(np.uint8)


def _table(x, y, rng) -> np.ndarray:
    """A wooden table, or a plain, striped or checked cloth of a random hue."""
    (ux, uy), phase = _direction(rng), rng.uniform(0, TURN, 3)
    u, v = ux * x + uy * y, ux * y - uy * x
    if rng.random() < 0.55:
        rings = 9 * u + 1.2 * np.sin(2 * v + phase[0]) + phase[1]
        grain = np.sin(rings) + 0.7 * np.sin(23 * u + v + phase[2])
        board = np.abs((u * 0.9 + phase[0]) % 1 - 0.5) > 0.47
        tone = rng.uniform(0.65, 1.15) * (1 + 0.07 * grain) * np.where(board, 0.72, 1)
        return _rgb("#a87447") * tone[..., None]
    cloth = _hue(rng.uniform(), rng.uniform(0.1, 0.4)) * rng.uniform(140, 225)
    period = rng.uniform(0.35, 0.6)
    across, along = (smooth_step(0.2, 0.5, np.sin(TURN * w / period)) for w in (u, v))
    weave = (np.zeros_like(u), across, (across + along) / 2)[rng.integers(3)]
    return _mix(cloth, 0.35 * cloth + 0.65 * _rgb("#f6f2ea"), weave)


def _plate(picture, x, y, radius, light, rng) -> np.ndarray:
    """A round plate (white, cream, blue-grey or slate) with a rim and a shadow."""
    colour = _rgb(("#f4f2ec", "#f4f2ec", "#e9dfc8", "#c9d3da", "#4c4f54")[rng.integers(5)])
    d = np.hypot(x, y)
    shadow = np.hypot(x + 0.09 * light[0], y + 0.09 * light[1])
    picture = picture * (1 - 0.5 * smooth_step(1.12, 0.92, shadow))[..., None]
    lean = (x * light[0] + y * light[1]) / np.maximum(d, 1e-6)
    rim = np.exp(-(((d - 0.8) / 0.05) ** 2)) - np.exp(-(((d - 0.97) / 0.04) ** 2))
    tone = 1 - 0.13 * lean * rim - 0.03 * (d < 0.8)
    return _mix(picture, colour * tone[..., None], np.clip((1 - d) * radius + 0.5, 0, 1))


def _food(picture, x, y, centre, radius, light, dish, rng) -> np.ndarray:
    """The pieces of the dish with texture, relief and shadow."""
    size = rng.uniform(0.72, 0.86)
    cover, tone = _pieces(dish.form(rng), x.shape, centre, size * radius, rng)
    blurred = cover.filter(ImageFilter.GaussianBlur(2.2))
    # `rotate` by 0 degrees translates without wrapping round. The shadow falls away from the light.
    drop = blurred.rotate(0, translate=tuple(np.rint(-2.5 * light).astype(int).tolist()))
    cover, tone, dome, drop = (np.asarray(image) / 255 for image in (cover, tone, blurred, drop))
    picture = picture * (1 - 0.45 * drop)[..., None]

    (ux, uy), (shift_u, shift_v) = _direction(rng), rng.uniform(-0.2, 0.2, 2)
    u, v = (ux * x + uy * y) / size + shift_u, (ux * y - uy * x) / size + shift_v
    mark = dish.preparation.texture(u, v, rng)
    colourways = dish.preparation.colourways
    base, accent = (_rgb(colour) for colour in colourways[rng.integers(len(colourways))])
    tint = 1 + rng.uniform(-0.05, 0.05, 3)
    slope_y, slope_x = np.gradient(1.6 * dome + 0.12 * mark)
    relief = 1 - 0.9 * (slope_x * light[0] + slope_y * light[1])
    return _mix(picture, _mix(base, accent, mark) * tint * (tone * relief)[..., None], cover)


def _pieces(pieces, shape, centre, scale, rng) -> tuple[Image.Image, Image.Image]:
    """Rotate the pieces at random and draw two masks: where they cover the plate, and the brightness of each."""
    height, width = shape
    ux, uy = _direction(rng)
    turn = np.array([[ux, uy], [-uy, ux]]) * scale
    cover = Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
    tone = cover.copy()
    cover_pen, tone_pen = ImageDraw.Draw(cover), ImageDraw.Draw(tone)
    for piece in pieces:
        polygons = [((polygon @ turn + centre) * SUPERSAMPLING).ravel().tolist() for polygon in piece]
        cover_pen.polygon(polygons[0], fill=255)
        tone_pen.polygon(polygons[0], fill=int(rng.integers(195, 256)), outline=110, width=SUPERSAMPLING)
        for hole in polygons[1:]:
            cover_pen.polygon(hole, fill=0)
    return cover.reduce(SUPERSAMPLING), tone.reduce(SUPERSAMPLING)


def _direction(rng):
    angle = rng.uniform(0, TURN)
    return np.array([np.cos(angle), np.sin(angle)])


def _mix(under, over, weight):
    return under + (over - under) * weight[..., None]


def _rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def _hue(position, saturation):
    """Relative RGB of a hue, 0..1 around the circle."""
    return 1 - saturation * (0.5 + 0.5 * np.cos(TURN * (position + np.array([0, 1, 2]) / 3)))
