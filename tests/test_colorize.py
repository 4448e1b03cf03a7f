import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from stages import colorize
from stages.models.autoencoder import Autoencoder
from stages.runtime.errors import StageError
from tests.project import ROOT, environment


def network(**what) -> Autoencoder:
    torch.manual_seed(0)
    model = Autoencoder(
        input_channels="lightness",
        block_out_channels=[4, 4],
        layers_per_block=1,
        latent_channels=2,
        norm_num_groups=2,
        **what,
    )
    model.decoder.conv_out.weight.data *= 0.1  # colours that sRGB can show
    return model


@pytest.fixture(scope="module")
def encoders(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("encoders")
    classifying = network(out_channels=2, bins=2, output_stride=2)
    classifying.bins[:] = torch.tensor([[30.0, 0.0], [0.0, 30.0]])
    made = {
        "colorization": network(out_channels=2),
        "color_classification": classifying,
        "random": network(out_channels=1),
    }
    for name, model in made.items():
        model.image_size = 32
        model.save_pretrained(folder / name)
    return folder


@pytest.fixture
def workplace(tmp_path, monkeypatch, encoders) -> Path:
    """A folder with photographs of several kinds, and data/encoders as the pipeline leaves it."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/encoders").symlink_to(encoders)
    pixels = np.random.default_rng(0).integers(60, 190, (30, 50, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    image.save("dish.jpg")
    image.convert("L").save("grey.png")
    image.convert("CMYK").save("print.tif")
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright
    image.save("upright.jpg", exif=exif)
    Path("notes.txt").write_text("no image")
    return tmp_path


def colorized(*arguments: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["colorize", *arguments])
        colorize.main()


def refusal(*arguments: str) -> str:
    with pytest.raises(StageError) as error:
        colorized(*arguments)
    return str(error.value)


def test_photographs_of_any_kind_are_painted_at_their_own_size(workplace, capsys):
    colorized("dish.jpg", "grey.png", "print.tif", "upright.jpg", "--out", "painted")
    assert capsys.readouterr().out.splitlines() == [
        "dish.jpg -> painted/dish.png (50 x 30)",
        "grey.png -> painted/grey.png (50 x 30)",
        "print.tif -> painted/print.png (50 x 30)",
        "upright.jpg -> painted/upright.png (30 x 50)",
    ]
    assert sorted(path.name for path in Path("painted").iterdir()) == [
        "dish.png", "grey.png", "print.png", "upright.png",
    ]  # fmt: skip
    before, after = (rgb2lab(np.asarray(Image.open(path).convert("RGB"))) for path in ("grey.png", "painted/grey.png"))
    assert np.abs(before - after)[..., 0].max() < 1.5
    assert np.abs(after[..., 1:]).max() > 2


def test_same_photograph_same_bytes(workplace):
    for folder in ("one", "two"):
        colorized("dish.jpg", "--out", folder)
    assert Path("one/dish.png").read_bytes() == Path("two/dish.png").read_bytes()


def test_a_lower_temperature_is_more_vivid(workplace):
    chroma = []
    for temperature in ("1", "0.01"):
        encoder = "data/encoders/color_classification"
        colorized("dish.jpg", "--out", temperature, "--encoder", encoder, "--temperature", temperature)
        ab = rgb2lab(np.asarray(Image.open(f"{temperature}/dish.png")))[..., 1:]
        chroma.append(np.hypot(*ab.T).mean())
    assert chroma[1] > chroma[0] + 3


def test_good_photographs_are_painted_whatever_the_others_are(workplace, capsys):
    Path("folder").mkdir()
    message = refusal("notes.txt", "absent.jpg", "dish.jpg", "folder", "--out", "painted")
    assert message.splitlines() == [
        "3 of 4 photographs could not be painted:",
        "  notes.txt: not an image",
        "  absent.jpg: No such file or directory",
        "  folder: a folder; name the files in it: folder/*.jpg",
    ]
    assert capsys.readouterr().out == "dish.jpg -> painted/dish.png (50 x 30)\n"
    assert [path.name for path in Path("painted").iterdir()] == ["dish.png"]


def test_what_is_there_is_replaced_by_force_alone(workplace):
    Path("painted").mkdir()
    Path("painted/dish.png").write_text("mine")
    assert "painted/dish.png is there already: --force replaces it" in refusal("dish.jpg", "--out", "painted")
    assert Path("painted/dish.png").read_text() == "mine"
    colorized("dish.jpg", "--out", "painted", "--force")
    assert Image.open("painted/dish.png").size == (50, 30)


def test_no_photograph_given_is_overwritten_even_by_force(workplace):
    before = Path("grey.png").read_bytes()
    Path("grey.jpg").write_bytes(Path("dish.jpg").read_bytes())
    message = refusal("grey.jpg", "grey.png", "--out", f"../{workplace.name}", "--force")
    assert message.count("is one of the photographs given, and would be lost") == 2
    assert Path("grey.png").read_bytes() == before


def test_two_photographs_of_one_name_do_not_replace_each_other(workplace):
    Path("other").mkdir()
    Path("other/dish.png").write_bytes(Path("grey.png").read_bytes())
    message = refusal("dish.jpg", "other/dish.png", "--out", "painted", "--force")
    assert "other/dish.png: painted/dish.png was just made of dish.jpg" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--encoder", "data/encoders/random"],
            "random does not paint.*colorization, color_classification, split_brain",
        ),
        (["--encoder", "nowhere"], "nowhere is not a folder; there are .*data/encoders/colorization"),
        (["--encoder", "dish.jpg"], "dish.jpg is not a folder"),
        (["--encoder", "data"], "config.json is missing"),
        (["--out", "notes.txt"], "--out notes.txt cannot be made: File exists"),
    ],
)
def test_what_cannot_work_at_all_is_refused_before_any_photograph(workplace, arguments, words):
    with pytest.raises(StageError, match=words):
        colorized("dish.jpg", "--out", "painted", *arguments)
    assert not list(Path().glob("painted/*"))


@pytest.mark.parametrize("temperature", ["0", "1.5", "nan", "warm"])
def test_a_temperature_out_of_range_is_refused(workplace, capsys, temperature):
    with pytest.raises(SystemExit) as ended:
        colorized("dish.jpg", "--out", "painted", "--temperature", temperature)
    assert ended.value.code == 2
    assert f"above 0, up to 1; got '{temperature}'" in capsys.readouterr().err


def test_it_ends_with_1_and_without_a_traceback(workplace):
    result = subprocess.run(
        [sys.executable, "-m", "stages.colorize", "dish.jpg", "--out", "painted", "--encoder", "nowhere"],
        env=environment() | {"PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: --encoder nowhere is not a folder; there are data/encoders/")
    assert len(result.stderr.splitlines()) == 1
