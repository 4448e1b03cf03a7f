import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
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
    """A folder with photographs of several kinds, data/encoders as the pipeline leaves it, and a pretrained painter."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/encoders").symlink_to(encoders)
    Path("pretrained").mkdir()
    Path("pretrained/painter").symlink_to(encoders / "colorization")
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
        "  folder: a folder without photographs (folders in it are not looked into)",
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
        (["--encoder", "nowhere"], "nowhere is not a folder; there are pretrained/painter, data/encoders/colorization"),
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


def names(folder: str = "painted") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_folder_is_taken_for_the_photographs_in_it(workplace, capsys):
    for name in ("photos/b.JPG", "photos/a.jpg", "photos/.hidden.jpg", "photos/deeper/c.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(Path("dish.jpg").read_bytes())
    Path("photos/notes.txt").write_text("no photograph")
    Path("photos/Thumbs.db").write_bytes(b"nor this")
    colorized("photos", "grey.png", "photos/a.jpg", "--out", "painted")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" -> ")[0] for line in lines] == ["photos/a.jpg", "photos/b.JPG", "grey.png"]
    assert names() == ["a.png", "b.png", "grey.png"]


AWKWARD = {
    "not UTF-8": b"caf\xe9.jpg",
    "long": b"x" * 245 + b".jpg",
    "long and not UTF-8": b"\xe9" * 245 + b".jpg",
    "a line break": b"two\nlines.jpg",
    "an escape": b"\x1b[2J.jpg",
    "an option": b"--dish.jpg",
    "no suffix": b"dish",
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_a_photograph_of_any_name_is_painted(workplace, capsys, kind):
    name = os.fsdecode(AWKWARD[kind])
    Path(name).write_bytes(Path("dish.jpg").read_bytes())
    colorized("--out", "painted", "--", "grey.png", name, "upright.jpg")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert names() == sorted(["grey.png", f"{Path(name).stem}.png", "upright.png"])
    assert all(line.isprintable() for line in lines)


def test_what_is_wrong_with_one_does_not_end_the_batch(workplace, capsys):
    """Each is listed and the others are painted, whatever the error is."""
    os.mkfifo("pipe.jpg")
    Path("loop.jpg").symlink_to("loop.jpg")
    Path("empty.jpg").touch()
    Path("zeros.jpg").write_bytes(bytes(999))
    Path("cut.jpg").write_bytes(Path("dish.jpg").read_bytes()[:500])
    Path("drawing.jpg").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    missing = os.fsdecode(b"caf\xe9.jpg")
    too_long = "x" * 251 + ".jpg"
    given = ["pipe.jpg", "loop.jpg", "empty.jpg", "zeros.jpg", "cut.jpg", "drawing.jpg", missing, too_long]
    message = refusal(*given, "dish.jpg", "--out", "painted", "--format", "webp")
    assert message.splitlines()[0] == "8 of 9 photographs could not be painted:"
    problems = dict(line.strip().split(": ", 1) for line in message.splitlines()[1:])
    assert problems["pipe.jpg"] == "not a file, but a device or a pipe"
    assert problems["loop.jpg"] == "Too many levels of symbolic links"
    assert problems["empty.jpg"] == "not an image: the file is empty"
    assert problems["zeros.jpg"].startswith("not an image: it begins with 999 zeros")
    assert "cut.jpg" in problems
    assert problems["drawing.jpg"].startswith("not an image, but PostScript")
    assert problems["caf\\xe9.jpg"] == "No such file or directory"
    assert problems[too_long] == "No such file or directory" or "too long" in problems[too_long]
    assert names() == ["dish.webp"]


def test_a_photograph_that_memory_does_not_hold_is_refused_and_the_others_are_painted(workplace, monkeypatch):
    Image.new("1", (3000, 2000)).save("large.png")
    monkeypatch.setattr("stages.colorizing.memory.free_memory", lambda: 140 << 20)
    message = refusal("large.png", "dish.jpg", "--out", "painted")
    assert "large.png: its 3,000 x 2,000 pixels need 0.2 GB of memory, 0.1 GB are free: scale it down first" in message
    assert names() == ["dish.png"]


def test_any_size_is_painted_that_a_person_names(workplace, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses twice as many
        colorized("dish.jpg", "--out", "painted")
        assert Image.MAX_IMAGE_PIXELS == 100
    assert Image.open("painted/dish.png").size == (50, 30)


def test_large_photographs_wait_on_the_disk_and_come_out_the_same(workplace, monkeypatch):
    colorized("upright.jpg", "--out", "small", "--compare")
    monkeypatch.setattr("stages.colorizing.opening.SPOOLED_PIXELS", 100)
    monkeypatch.setattr("stages.colorizing.bands.BAND_PIXELS", 200)
    colorized("upright.jpg", "--out", "large", "--compare")
    assert names("large") == names("small") == ["upright-compared.png", "upright.png"]
    for name in names("small"):
        before, after = (np.asarray(Image.open(f"{folder}/{name}"), int) for folder in ("small", "large"))
        assert np.abs(before - after).max() <= 1


@pytest.mark.parametrize(
    ("format", "pillow", "suffix"),
    [("png", "PNG", ".png"), ("jpg", "JPEG", ".jpg"), ("webp", "WEBP", ".webp"), ("tiff", "TIFF", ".tiff")],
)
def test_the_format_can_be_chosen_and_says_that_it_is_srgb(workplace, format, pillow, suffix):
    colorized("dish.jpg", "--out", "painted", "--format", format)
    assert names() == [f"dish{suffix}"]
    with Image.open(f"painted/dish{suffix}") as image:
        assert image.format == pillow
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in profile.profile.profile_description
        written = np.asarray(image, int)
    colorized("dish.jpg", "--out", "png")
    assert np.abs(written - np.asarray(Image.open("png/dish.png"), int)).mean() < (3 if format == "jpg" else 0.001)


def test_the_format_can_be_kept_where_it_can(workplace):
    Path("DISH.JPEG").write_bytes(Path("dish.jpg").read_bytes())
    Path("disguised.jpg").write_bytes(Path("grey.png").read_bytes())
    Image.open("dish.jpg").save("drawn.gif")
    Image.open("dish.jpg").save("web.webp")
    given = ["DISH.JPEG", "disguised.jpg", "drawn.gif", "grey.png", "print.tif", "web.webp"]
    colorized(*given, "--out", "painted", "--format", "keep")
    assert names() == ["DISH.JPEG", "disguised.png", "drawn.png", "grey.png", "print.tif", "web.webp"]
    assert Image.open("painted/DISH.JPEG").format == "JPEG"
    assert Image.open("painted/print.tif").format == "TIFF"


def test_out_names_a_file_for_a_single_photograph(workplace, capsys):
    colorized("dish.jpg", "--out", "new/place/mine.webp")
    assert names("new/place") == ["mine.webp"]
    assert Image.open("new/place/mine.webp").format == "WEBP"
    assert capsys.readouterr().out == "dish.jpg -> new/place/mine.webp (50 x 30)\n"
    assert "is there already: --force replaces it" in refusal("dish.jpg", "--out", "new/place/mine.webp")
    colorized("dish.jpg", "--out", "new/place/mine.webp", "--force")
    assert "would be lost" in refusal("dish.jpg", "--out", "dish.jpg", "--force")


def test_out_that_ends_like_a_picture_and_is_a_folder_is_a_folder(workplace):
    Path("set.png").mkdir()
    colorized("dish.jpg", "grey.png", "--out", "set.png")
    assert names("set.png") == ["dish.png", "grey.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dish.jpg", "grey.png", "--out", "one.png"], "--out one.png names a file, and there are 2 photographs"),
        (["dish.jpg", "--out", "one.png", "--format", "jpg"], "--out one.png does not end as --format jpg does"),
    ],
)
def test_an_out_that_does_not_fit_is_refused(workplace, arguments, words):
    assert words in refusal(*arguments)
    assert not Path("one.png").exists()


def test_a_format_that_cannot_hold_the_photograph_is_refused_before_it_is_painted(workplace):
    Image.new("L", (16_400, 8), 120).save("wide.png")
    message = refusal("wide.png", "--out", "painted", "--format", "webp")
    assert "wide.png: a WEBP has at most 16,383 pixels a side: use --format png" in message


def test_compare_shows_lightness_painted_and_the_original_if_it_had_colours(workplace):
    colorized("dish.jpg", "grey.png", "--out", "painted", "--compare")
    assert names() == ["dish-compared.png", "dish.png", "grey-compared.png", "grey.png"]
    three, two = (np.asarray(Image.open(f"painted/{name}-compared.png")) for name in ("dish", "grey"))
    assert three.shape == (30, 150, 3)
    assert two.shape == (30, 100, 3)
    assert np.ptp(three[:, :50].astype(int), axis=-1).max() <= 1
    lightness = [rgb2lab(three[:, 50 * n : 50 * (n + 1)])[..., 0] for n in range(3)]
    assert np.abs(lightness[0] - lightness[1]).mean() < 0.5
    assert np.array_equal(three[:, 50:100], np.asarray(Image.open("painted/dish.png")))
    assert np.array_equal(three[:, 100:], np.asarray(Image.open("dish.jpg")))
    assert "dish-compared.png is there already" in (
        Path("painted/dish.png").unlink() or refusal("dish.jpg", "--out", "painted", "--compare")
    )


def with_metadata(name: str) -> None:
    exif = Image.Exif()
    exif[274], exif[271], exif[306], exif[282] = 6, "Maker", "2020:01:02 03:04:05", 300.0
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8769)[0xA002] = 4000
    exif.get_ifd(0x8769)[0x927C] = b"maker's note"
    exif.get_ifd(0x8825)[1] = "N"
    Image.open("dish.jpg").save(name, exif=exif.tobytes())


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "tiff"])
@pytest.mark.parametrize("source", ["shot.jpg", "shot.tif", "shot.webp", "shot.png"])
def test_metadata_of_the_capture_are_kept_on_request(workplace, source, format):
    with_metadata(source)
    colorized(source, "--out", "plain", "--format", format)
    colorized(source, "--out", "kept", "--format", format, "--keep-metadata")
    (name,) = names("kept")
    plain = Image.open(f"plain/{name}")
    assert not plain.getexif().get(271)
    assert not plain.getexif().get_ifd(0x8825)
    kept = Image.open(f"kept/{name}")
    exif = kept.getexif()
    assert kept.size == (30, 50)
    assert (exif[271], exif[306]) == ("Maker", "2020:01:02 03:04:05")
    assert exif.get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"
    assert exif.get_ifd(0x8769)[0xA001] == 1  # sRGB
    assert exif.get_ifd(0x8825)[1] == "N"
    assert exif.get(274, 1) == 1  # it is upright now
    assert not {0x927C, 0xA002} & exif.get_ifd(0x8769).keys()


def test_notes_are_told_beside_the_photographs_line(workplace, capsys):
    Image.open("dish.jpg").save("tagged.png", icc_profile=b"none")
    colorized("tagged.png", "--out", "painted")
    output = capsys.readouterr()
    assert output.out == "tagged.png -> painted/tagged.png (50 x 30)\n"
    assert output.err.startswith("note: tagged.png: its colour profile cannot be used (")


def started(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "stages.colorize", *arguments],
        env=environment() | {"PYTHONPATH": os.fspath(ROOT)} | options.pop("env", {}),
        **options,
    )


def test_a_pipe_closed_by_its_reader_ends_it_quietly(workplace):
    for number in range(5):
        Path(f"photo{number}.jpg").write_bytes(Path("dish.jpg").read_bytes())
    process = started(
        *map(str, Path().glob("photo*.jpg")), "--out", "painted", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline().startswith(b"photo")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_names_are_printed_on_any_terminal(workplace, encoding):
    name = os.fsdecode("crème ".encode() + b"\xe9.jpg")
    Path(name).write_bytes(Path("dish.jpg").read_bytes())
    process = started(
        name, "absent.jpg", "--out", "painted",
        env={"PYTHONIOENCODING": encoding}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, error = process.communicate()
    assert process.returncode == 1
    shown = "crème" if encoding == "utf-8" else "cr\\xe8me"
    assert out.decode() == f"{shown} \\xe9.jpg -> painted/{shown} \\xe9.png (50 x 30)\n"
    assert "absent.jpg: No such file or directory" in error.decode()
    assert "Traceback" not in error.decode()


def test_a_progress_bar_where_there_are_many(workplace, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for number in range(4):
        Path(f"photo{number}.jpg").write_bytes(Path("dish.jpg").read_bytes())
    many = [f"photo{number}.jpg" for number in range(4)]
    colorized("dish.jpg", "--out", "one")
    assert "photograph" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    colorized(*many, "--out", "painted")
    output = capsys.readouterr()
    assert "4/4" in output.err
    assert len(output.out.splitlines()) == 4


def test_it_ends_with_1_and_without_a_traceback(workplace):
    result = subprocess.run(
        [sys.executable, "-m", "stages.colorize", "dish.jpg", "--out", "painted", "--encoder", "nowhere"],
        env=environment() | {"PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith(
        "error: --encoder nowhere is not a folder; there are pretrained/painter, data/encoders/"
    )
    assert len(result.stderr.splitlines()) == 1
