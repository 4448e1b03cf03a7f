import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.reporting import pictures
from stages.reporting.pictures import embedded_pictures, unenlarged


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "colorization").mkdir()
    rng = np.random.default_rng(0)
    for name in ("in_domain", "in_domain_best", "out_of_domain_worst"):
        pixels = rng.integers(0, 256, size=(48, 128, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"colorization/{name}.png")
    return tmp_path


def scores(domain="in") -> pd.DataFrame:
    rows = [(f"apple_pie/{number}", domain, 0.01 * number, 20.0) for number in range(1, 21)]
    return pd.DataFrame(rows, columns=["image", "domain", "lpips", "psnr"])


def opened(uri: str) -> Image.Image:
    kind, data = re.fullmatch(r"data:image/(\w+);base64,(.*)", uri).groups()
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format.lower() == kind
    return image


def test_what_is_there_is_embedded_pixel_by_pixel_and_what_is_not_is_left_out(folder):
    embedded = embedded_pictures(folder, {}, ["colorization", "split_brain"])
    assert {painter: {domain: len(shown) for domain, shown in by.items()} for painter, by in embedded.items()} == {
        "colorization": {"in": 2, "out": 1}
    }
    first = opened(embedded["colorization"]["in"][0].uri)
    np.testing.assert_array_equal(first, Image.open(folder / "colorization/in_domain.png"))


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_repeated_pixels_are_embedded_once(factor):
    small = np.random.default_rng(0).integers(0, 256, size=(9, 24, 3)).astype(np.uint8)
    large = small.repeat(factor, axis=0).repeat(factor, axis=1)
    np.testing.assert_array_equal(unenlarged(Image.fromarray(large)), small)


def test_the_budget_is_kept_at_the_cost_of_quality(folder, monkeypatch):
    monkeypatch.setattr(pictures, "BUDGET", 20_000)
    embedded = embedded_pictures(folder, {}, ["colorization"])["colorization"]
    shown = [*embedded["in"], *embedded["out"]]
    assert sum(len(picture.uri) for picture in shown) <= 20_000
    assert all(opened(picture.uri).size == (picture.width, picture.height) for picture in shown)


def test_words_say_what_is_shown_with_numbers(folder):
    embedded = embedded_pictures(folder, {"colorization": scores()}, ["colorization"])["colorization"]
    first, best = embedded["in"]
    assert best.caption == "Best: the smallest LPIPS, 0.010 to 0.080."
    assert "from left to right: apple pie (0.010), apple pie (0.020)" in best.alternative
    assert "median" in first.alternative and "0.105" in first.alternative
    # No scores of that domain: still words, no numbers.
    assert embedded["out"][0].alternative.endswith("Worst: the largest LPIPS.")


@pytest.mark.parametrize(("kind", "reach"), [("_typical", "0.070 to 0.140"), ("_worst", "0.130 to 0.200")])
def test_the_images_of_a_picture_are_those_that_its_name_says(tmp_path, kind, reach):
    (tmp_path / "colorization").mkdir()
    Image.new("RGB", (8, 3)).save(tmp_path / f"colorization/in_domain{kind}.png")
    embedded = embedded_pictures(tmp_path, {"colorization": scores()}, ["colorization"])
    assert reach in embedded["colorization"]["in"][0].caption


def test_no_pictures_at_all(tmp_path):
    assert embedded_pictures(tmp_path, {}, ["colorization"]) == {}
