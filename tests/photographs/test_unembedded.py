"""Colours that files describe without a profile."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from stages.photographs.decoding import open_photograph
from stages.photographs.unembedded import gamma_profile
from tests.photographs.pictures import GREY, PHOTOGRAPH, encoded, lightness_off, linear, png_chunk, with_chunks
from tests.photographs.profiles import SPACES, numbers_in, profile_of

LINEAR = linear(np.asarray(GREY) / 255)


def gamma_chunk(gamma: float) -> bytes:
    return png_chunk(b"gAMA", round(100_000 * gamma).to_bytes(4, "big"))


def points_chunk(space: str) -> bytes:
    primaries, white, _ = SPACES[space]
    return png_chunk(b"cHRM", b"".join(round(100_000 * c).to_bytes(4, "big") for p in (white, *primaries) for c in p))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_of_linear_greys_by_its_gamma(dtype):
    content = encoded(Image.fromarray(np.rint(LINEAR * np.iinfo(dtype).max).astype(dtype)), "PNG")
    assert lightness_off(open_photograph(with_chunks(content, gamma_chunk(1))), GREY) < 0.5
    assert lightness_off(open_photograph(content), GREY) > 5


@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB", "linear"])
def test_a_png_of_other_primaries_by_its_gamma_and_chromaticities(space):
    stored = Image.fromarray(np.rint(numbers_in(space, np.asarray(PHOTOGRAPH) / 255) * 255).astype(np.uint8))
    chunks = gamma_chunk(1 / SPACES[space][2]), points_chunk(space)
    image = open_photograph(with_chunks(encoded(stored, "PNG"), *chunks))
    assert lightness_off(image, PHOTOGRAPH) < 0.5
    assert np.abs(np.asarray(image, int) - np.asarray(PHOTOGRAPH)).mean() < 1.5


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma_chunk(0.45455)], [gamma_chunk(0.45455), points_chunk("linear")], [points_chunk("Adobe RGB")],
        [png_chunk(b"sRGB", b"\0"), gamma_chunk(1)], [gamma_chunk(0)], [gamma_chunk(40_000)],
    ],
)  # fmt: skip
@pytest.mark.parametrize("picture", [PHOTOGRAPH, GREY], ids=["rgb", "grey"])
def test_a_png_that_is_srgb_or_says_nothing_sensible_stays_as_it_is(picture, chunks):
    image = open_photograph(with_chunks(encoded(picture, "PNG"), *chunks))
    assert np.array_equal(np.asarray(image), np.asarray(picture.convert("RGB")))


def test_a_profile_has_precedence_over_gamma():
    content = encoded(PHOTOGRAPH, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert lightness_off(open_photograph(with_chunks(content, gamma_chunk(1))), PHOTOGRAPH) == 0


@pytest.mark.parametrize(("space", "index"), [(2, None), (0xFFFF, "R03")])
def test_a_camera_set_to_adobe_rgb_says_so_in_exif_alone(space, index):
    """Pillow 3270: the camera's menu is followed by Photoshop, GIMP and macOS."""
    stored = Image.fromarray(np.rint(numbers_in("Adobe RGB", np.asarray(PHOTOGRAPH) / 255) * 255).astype(np.uint8))
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = space
    if index:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: index}
    image = open_photograph(encoded(stored, "JPEG", quality=98, subsampling=0, exif=exif))
    assert np.abs(np.asarray(image, int) - np.asarray(PHOTOGRAPH)).mean() < 1.5


@pytest.mark.parametrize(("space", "index"), [(1, None), (0xFFFF, None), (0xFFFF, "R98")])
def test_other_cameras_are_taken_for_srgb(space, index):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = space
    if index:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: index}
    plain, told = (encoded(PHOTOGRAPH, "JPEG", **options) for options in ({}, {"exif": exif}))
    assert lightness_off(open_photograph(told), open_photograph(plain)) == 0


def test_the_profile_of_a_jp2_is_read():
    stored = Image.fromarray(np.rint(LINEAR * 255).astype(np.uint8))
    content = encoded(stored, "JPEG2000")
    color = content.index(b"colr") - 4
    length = int.from_bytes(content[color : color + 4], "big")
    profile = gamma_profile(1.0)
    replaced = (11 + len(profile)).to_bytes(4, "big") + b"colr\2\0\0" + profile
    header = content.index(b"jp2h") - 4
    grown = int.from_bytes(content[header : header + 4], "big") + len(replaced) - length
    content = (
        content[:header] + grown.to_bytes(4, "big") + content[header + 4 : color] + replaced + content[color + length :]
    )
    assert lightness_off(open_photograph(content), GREY) < 0.5


def test_profiles_that_are_written_are_read_by_little_cms():
    for space in SPACES:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(profile_of(space))).profile
        assert profile.xcolor_space == "RGB "
    assert ImageCms.ImageCmsProfile(io.BytesIO(gamma_profile(1.8))).profile.xcolor_space == "GRAY"
    # Adobe RGB (1998), table 4.
    adobe = ImageCms.ImageCmsProfile(io.BytesIO(profile_of("Adobe RGB"))).profile
    assert adobe.red_colorant[0] == pytest.approx((0.60974, 0.31111, 0.01947), abs=2e-4)
    assert adobe.green_colorant[0] == pytest.approx((0.20528, 0.62567, 0.06087), abs=2e-4)
    assert adobe.blue_colorant[0] == pytest.approx((0.14919, 0.06322, 0.74457), abs=2e-4)
