import io

import pytest
from PIL import Image

from stages.colorizing import memory
from stages.colorizing.memory import BESIDES, free_memory, needed_bytes, require_memory
from stages.photographs.refusal import Refused


def opened(mode: str, kind: str, size=(400, 300), **options) -> Image.Image:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return Image.open(buffer)


@pytest.mark.parametrize(
    ("image", "bytes_a_pixel"),
    [
        (opened("RGB", "PNG"), 4 + 4),
        (opened("L", "PNG"), 1 + 4),
        (opened("I;16", "PNG"), 2 + 4),
        (opened("RGB", "JPEG"), 4 + 4),
        (opened("RGB", "JPEG", progressive=True, subsampling=0), 4 + 4 + 6),
        (opened("RGB", "JPEG", progressive=True, subsampling=2), 4 + 4 + 3),
        (opened("L", "JPEG", progressive=True), 1 + 4 + 2),
    ],
)
def test_what_a_photograph_needs(image, bytes_a_pixel):
    assert needed_bytes(image) == BESIDES + bytes_a_pixel * 400 * 300


def test_decoded_and_painted_pixels_of_a_large_one_are_not_held_at_once(monkeypatch):
    monkeypatch.setattr(memory, "SPOOLED_PIXELS", 100)
    assert needed_bytes(opened("RGB", "PNG")) == BESIDES + 4 * 400 * 300


def test_a_few_bytes_that_say_they_are_a_thousand_megapixels_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 3 << 30)
    image = opened("RGB", "PNG")
    image._size = (40_000, 30_000)
    with pytest.raises(Refused, match=r"its 40,000 x 30,000 pixels need 4.9 GB of memory, 3.2 GB are free"):
        require_memory(image, print)


def test_a_progressive_jpeg_that_takes_much_memory_says_so_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 8 << 30)
    notes = []
    for progressive in (True, False):
        image = opened("RGB", "JPEG", progressive=progressive, subsampling=0)
        image._size = (20_000, 20_000)  # 4 bytes a pixel and 6 of coefficients; 128 MB beside them
        require_memory(image, notes.append)
    assert notes == [
        "its 20,000 x 20,000 pixels take 4.1 GB of memory, as a progressive JPEG is held whole, in coefficients"
    ]


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    unlimited = free_memory()
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    (tmp_path / "memory.stat").write_text("anon 1000\nfile 5000\n")
    (tmp_path / "memory.max").write_text("4000\n")
    assert free_memory() == 3000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() > unlimited / 2
