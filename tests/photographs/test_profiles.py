"""Embedded colour profiles: a photograph is as light as a colour-managed viewer shows it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from stages.color.lab import decode_lab8
from stages.photographs import profiles
from stages.photographs.decoding import open_photograph, photograph_to_lab8
from stages.photographs.unembedded import gamma_profile
from tests.photographs.pictures import GREY, PHOTOGRAPH, encoded, lightness, lightness_off, linear, tiff
from tests.photographs.profiles import SPACES, ink_lab, ink_profile, numbers_in, profile_of

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RGB = np.asarray(PHOTOGRAPH) / 255
LINEAR_GREY = linear(np.asarray(GREY) / 255)


def in_space(space: str) -> Image.Image:
    return Image.fromarray(np.rint(numbers_in(space, RGB) * 255).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG", "AVIF"])
@pytest.mark.parametrize("space", SPACES)
def test_rgb(space, kind):
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}.get(kind, {})
    content = encoded(in_space(space), kind, icc_profile=profile_of(space), **options)
    assert lightness_off(open_photograph(content), PHOTOGRAPH) < 0.5
    if kind == "PNG":
        assert np.abs(np.asarray(open_photograph(content), int) - np.asarray(PHOTOGRAPH)).mean() < 1.5
        unmanaged = Image.open(io.BytesIO(content))
        assert lightness_off(unmanaged, PHOTOGRAPH) > 0.4  # or nothing was tested


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 16])
def test_linear_greys(bits, kind):
    dtype = np.uint8 if bits == 8 else np.uint16
    stored = Image.fromarray(np.rint(LINEAR_GREY * np.iinfo(dtype).max).astype(dtype))
    image = open_photograph(encoded(stored, kind, icc_profile=gamma_profile(1.0)))
    assert lightness_off(image, GREY) < (0.5 if bits == 8 else 0.05)


def test_the_darkest_linear_greys_are_not_darkened():
    """Little CMS approximates the curve of a grey by 33 points unless told not to."""
    greys = Image.fromarray(np.arange(0, 4096, 16, dtype=np.uint16)[None])
    image = open_photograph(encoded(greys, "PNG", icc_profile=gamma_profile(1.0)))
    right = np.arange(0, 4096, 16) / 65535 * 903.3
    shown = lightness(image)[0]
    dark = right < 8
    assert np.abs(shown - right)[dark].max() < 0.3  # an 8-bit level is up to half a unit of L


def test_floating_point_greys_with_a_profile():
    content = tiff(LINEAR_GREY.astype(np.float32), iccprofile=gamma_profile(1.0))
    assert lightness_off(open_photograph(content), GREY) < 0.05


def test_a_dark_managed_scan_stays_dark():
    """Its numbers would fit into 12 bits; its profile says that white is at the end of 16."""
    stored = Image.fromarray(np.full((20, 30), 4000, dtype=np.uint16))
    image = open_photograph(encoded(stored, "TIFF", icc_profile=gamma_profile(2.2)))
    assert lightness(image).max() < 5


def cmyk() -> np.ndarray:
    y, x = np.mgrid[:60, :80] / [[[60]], [[80]]]
    return np.stack((x, y, (x + y) / 2, x * y), axis=-1) * 0.9


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk(kind):
    inks = Image.fromarray(np.rint(cmyk() * 255).astype(np.uint8), mode="CMYK")
    options = {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
    image = open_photograph(encoded(inks, kind, icc_profile=ink_profile(), **options))
    assert np.abs(lightness(image) - ink_lab(cmyk())[..., 0]).mean() < 0.5


def test_lab():
    lab = np.stack((np.tile(np.linspace(10, 90, 160), (30, 1)), np.full((30, 160), 8), np.full((30, 160), -6)), -1)
    stored = np.rint(lab * [2.55, 1, 1]).astype(int)
    image = open_photograph(tiff(stored.astype(np.int8).view(np.uint8), photometric="cielab"))
    assert np.abs(lightness(image) - stored[..., 0] / 2.55).mean() < 0.5


@pytest.mark.parametrize("transparent", [True, False])
@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "P"])
def test_transparency_is_laid_on_white_after_the_profile_is_applied(mode, transparent):
    if mode == "LA":
        stored, profile = Image.fromarray(np.rint(LINEAR_GREY * 255).astype(np.uint8)), gamma_profile(1.0)
    else:
        stored, profile = (
            in_space("linear").quantize(64) if mode[0] == "P" else in_space("linear"),
            profile_of("linear"),
        )
    opaque = open_photograph(encoded(stored, "PNG", icc_profile=profile))
    if mode == "P":
        content = encoded(stored, "PNG", icc_profile=profile, transparency=bytes([255 * (not transparent)] * 64))
    else:
        alpha = Image.new("L", stored.size, 0 if transparent else 255)
        stored = stored.convert("RGBA" if mode == "RGBA" else mode)
        stored.putalpha(alpha)
        content = encoded(stored, "TIFF" if mode == "PA" else "PNG", icc_profile=profile)
    image = open_photograph(content)
    if transparent:
        assert lightness(image).min() > 99.9
    else:
        assert np.array_equal(np.asarray(image), np.asarray(opaque))


def test_a_grey_with_the_rgb_profile_that_an_editor_left_behind():
    stored = Image.fromarray(np.rint(LINEAR_GREY * 255).astype(np.uint8))
    notes = []
    image = open_photograph(encoded(stored, "JPEG", quality=100, icc_profile=profile_of("linear")), tell=notes.append)
    assert lightness_off(image, GREY) < 0.5
    assert not notes


@pytest.mark.parametrize(
    "profile", [b"no profile", profile_of("Adobe RGB")[:200], ink_profile(), gamma_profile(1.0), b"\0" * 4000]
)
def test_a_profile_that_cannot_be_used_is_told_in_one_line_and_srgb_assumed(profile):
    notes = []
    image = open_photograph(encoded(PHOTOGRAPH, "PNG", icc_profile=profile), tell=notes.append)
    assert np.array_equal(np.asarray(image), np.asarray(PHOTOGRAPH))
    assert len(notes) == 1
    assert notes[0].startswith("its colour profile cannot be used (")
    assert notes[0].endswith("); sRGB is assumed")
    assert "\n" not in notes[0]


def test_srgb_by_name_changes_no_byte():
    notes = []
    image = open_photograph(encoded(PHOTOGRAPH, "PNG", icc_profile=SRGB), tell=notes.append)
    assert np.array_equal(np.asarray(image), np.asarray(PHOTOGRAPH))
    assert not notes


def test_the_archives_decoder_applies_it_too_and_scales_while_it_decodes(monkeypatch):
    large = in_space("ProPhoto RGB").resize((1600, 1200), Image.Resampling.BICUBIC)
    content = encoded(large, "JPEG", quality=95, icc_profile=profile_of("ProPhoto RGB"))
    profiles._cached.cache_clear()
    sizes = []
    apply = ImageCms.ImageCmsTransform.apply
    monkeypatch.setattr(
        ImageCms.ImageCmsTransform, "apply", lambda self, image: sizes.append(image.size) or apply(self, image)
    )
    managed = decode_lab8(photograph_to_lab8(content, 64, "squash"))[0]
    right = decode_lab8(photograph_to_lab8(encoded(PHOTOGRAPH, "PNG"), 64, "squash"))[0]
    assert np.abs(managed - right).mean() < 0.5
    assert [size for size in sizes if size[1] > 1] == [(200, 150)]  # an eighth
