"""Archives that are broken or hostile: the right result or a refusal, nothing outside data/, no hang, no leak."""

import gzip
import io
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stages import convert_to_lab, split
from stages.food101 import layout
from stages.food101.archive import ARCHIVE, RAW, iterate_images, read_meta
from stages.food101.sources import tar
from stages.runtime.errors import StageError
from tests.archives import packed, write_shards, zipped
from tests.project import make_project

CLASSES = ("crème_brûlée", "pie", "soup", "spam")


def picture(size=(40, 36), mode="RGB", kind="JPEG", **options) -> bytes:
    pixels = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def contents() -> dict[str, bytes]:
    """Four classes of six training and two test images, in Food-101's layout."""
    files, lists = {}, {"train": [], "test": []}
    for label in CLASSES:
        for number in range(8):
            files[f"images/{label}/{number}.jpg"] = picture((40 + number, 36))
            lists["test" if number > 5 else "train"].append(f"{label}/{number}")
    files["meta/classes.txt"] = "\n".join(CLASSES).encode()
    return files | {f"meta/{name}.txt": "\n".join(lines).encode() for name, lines in lists.items()}


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    project.change({"data": {"images_per_class": None}, "split": {"held_out_classes": 2}})
    monkeypatch.chdir(project.path)
    Path("data/raw").mkdir(parents=True)
    return project


def convert(content: bytes) -> np.ndarray:
    """Both stages that open the archive; all Lab images."""
    Path(ARCHIVE).write_bytes(content)
    split.main()
    convert_to_lab.main()
    return np.concatenate([np.load(f"data/lab/{name}.npy") for name in ("pretrain", "validation", "probe", "test")])


def outside(tmp_path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "project")]


def refused(content: bytes, *words: str) -> None:
    with pytest.raises(StageError) as refusal:
        convert(content)
    for word in words:
        assert word in str(refusal.value)
    assert not list(Path("data").rglob("*.part"))
    assert not list(Path("data/lab").glob("*.npy"))


def test_the_sound_archive_is_read(project):
    assert convert(packed(contents())).shape[1:] == (3, 32, 32)


@pytest.mark.parametrize("kind", ["absolute", "parent", "symlink", "hard link", "device", "fifo", "ten thousand empty"])
def test_members_that_are_no_photographs_are_passed_over_and_nothing_leaves_the_folder(project, tmp_path, kind):
    sound = convert(packed(contents()))
    members = [tarfile.TarInfo(f"images/pie/{number}") for number in range(10_000 if kind[:3] == "ten" else 1)]
    types = {
        "symlink": tarfile.SYMTYPE,
        "hard link": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE,
        "fifo": tarfile.FIFOTYPE,
    }
    names = {"absolute": f"{tmp_path}/owned.jpg", "parent": "images/../../../../owned.jpg"}
    for member in members:
        member.name = names.get(kind, f"{member.name}.jpg" if kind in types else member.name)
        member.type, member.linkname = types.get(kind, tarfile.REGTYPE), "/etc/passwd"
        member.size = 9 if kind in names else 0
    assert (convert(packed(contents(), members=members)) == sound).all()
    assert not outside(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("images/pie/3.jpg", b"", ["pie/3", "not an image"]),
        ("images/pie/3.jpg", b"<html>", ["pie/3", "not an image"]),
        ("images/pie/3.jpg", picture()[:300], ["pie/3", "cannot be decoded"]),
        ("images/pie/3.jpg", None, ["pie/3", "not among its images"]),
        ("meta/train.txt", None, ["meta/train.txt"]),
        ("meta/train.txt", b"pie/0\n", ["train.txt", "no image of", "soup"]),
        ("meta/train.txt", "\n".join([f"{c}/0" for c in CLASSES] * 2).encode(), ["twice in train.txt"]),
        ("meta/test.txt", "\n".join(f"{c}/0" for c in CLASSES).encode(), ["in both train.txt and test.txt"]),
        ("meta/test.txt", b"cake/1\n", ["cake/1", "classes.txt"]),
        ("meta/classes.txt", b"\xff\xfe\x00p", ["classes.txt", "UTF-8"]),
        ("meta/classes.txt", b"", ["classes.txt"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named(project, name, content, words):
    files = contents() | {name: content}
    refused(packed({each: text for each, text in files.items() if text is not None}), *words)


def test_windows_text_a_byte_order_mark_and_names_that_are_not_ascii_are_read(project):
    files = contents()
    sound = convert(packed(files))
    for name in [name for name in files if name.startswith("meta")]:
        files[name] = b"\xef\xbb\xbf" + files[name].replace(b"\n", b"\r\n") + b"\r\n\r\n"
    assert (convert(packed(files)) == sound).all()


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "PNG", {}), ("L", "JPEG", {}), ("CMYK", "JPEG", {}), ("P", "PNG", {}), ("1", "PNG", {}),
        ("LA", "PNG", {}), ("I;16", "PNG", {}),
        ("RGB", "GIF", {"save_all": True, "append_images": [Image.new("RGB", (40, 36))]}),
        ("RGB", "WEBP", {}), ("RGB", "BMP", {}), ("RGB", "JPEG", {"progressive": True}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)  # fmt: skip
def test_any_kind_of_picture_named_jpg_is_read(project, mode, kind, options):
    if mode == "I;16":
        buffer = io.BytesIO()
        Image.fromarray(np.full((36, 40), 65535, np.uint16)).save(buffer, kind)
        content = buffer.getvalue()
    else:
        content = picture(mode=mode, kind=kind, **options)
    lab8 = convert(packed(contents() | {"images/pie/3.jpg": content}))
    if mode == "I;16":
        assert any((image == np.array([255, 128, 128])[:, None, None]).all() for image in lab8)  # white


def test_a_picture_of_one_pixel_is_enlarged(project):
    convert(packed(contents() | {"images/pie/3.jpg": picture((1, 1))}))


def test_a_bomb_of_pixels_is_refused(project):
    header = bytearray(picture(kind="PNG"))
    header[16:24] = (60_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    refused(packed(contents() | {"images/pie/3.jpg": bytes(header)}), "pie/3", "exceeds limit")


@pytest.mark.parametrize("name", ["images/pie/3.jpg", "meta/classes.txt"])
def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked(project, monkeypatch, name):
    monkeypatch.setattr(layout, "LARGEST_MEMBER", 1 << 16)
    refused(packed(contents() | {name: bytes((1 << 16) + 1)}), name, "65,537 bytes; accepted: at most 65,536")


def test_a_header_of_any_length_is_refused_before_it_is_read(project):
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, tar.LARGEST_HEADER + 1
    refused(packed(contents(), members=[member]), "a header of 1,048,577 bytes")


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.map": "a,b"},
        {"GNU.sparse.size": "zz"},
        {"GNU.sparse.realsize": "zz"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"size": "zz"},
        {"mtime": "zz"},
    ],
    ids=str,
)
def test_hostile_records_are_refused_or_passed_over(project, records):
    member = tarfile.TarInfo("images/pie/a.txt")
    member.size, member.pax_headers = 5, records
    try:
        convert(packed(contents(), members=[member]))
    except StageError as error:
        assert ARCHIVE in str(error)


@pytest.mark.parametrize("size", [-512, -513, -1024, -(10**6)])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_SPARSE], ids=["0", "x", "S"])
def test_a_size_below_zero_is_refused(project, size, kind):
    """Python before 3.11.14 would read such an archive for ever, if it could seek (CVE-2025-8194)."""
    header = bytearray(tarfile.TarInfo("food-101/images/pie/3.jpg").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" + size.to_bytes(11, "big", signed=True)
    header[156:157] = kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = Path(ARCHIVE)
    path.write_bytes(gzip.compress(bytes(header) + bytes(2048)))
    with pytest.raises(StageError, match="is not a whole gzipped tar archive"):
        list(iterate_images(path))


def test_a_zip_writes_nothing_outside_the_folder(project, tmp_path):
    """Absolute names, `..` and drive letters name no photograph of the lists; nothing is unpacked into files."""
    names = [f"{tmp_path}/owned.jpg", "images/../../../../owned.jpg", "C:\\images\\pie\\owned.jpg"]
    Path(RAW, "food-101.zip").write_bytes(zipped(contents() | dict.fromkeys(names, b"x"), ""))
    split.main()
    convert_to_lab.main()
    assert not outside(tmp_path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(project, monkeypatch):
    monkeypatch.setattr(layout, "LARGEST_MEMBER", 1 << 16)
    Path(RAW, "food-101.zip").write_bytes(zipped(contents() | {"images/pie/3.jpg": bytes((1 << 16) + 1)}))
    split.main()
    with pytest.raises(StageError, match=r"pie/3\.jpg has 65,537 bytes; accepted: at most 65,536"):
        convert_to_lab.main()


def test_a_zip_that_names_a_smaller_size_than_it_has_is_not_read_beyond_it(project):
    """A megabyte of zeros, said to be ten bytes: the check sum of ten bytes is another."""
    bomb = zipped({"images/pie/3.jpg": bytes(1 << 20)})
    for magic, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = bomb.index(magic) + place
        bomb = bomb[:start] + (10).to_bytes(4, "little") + bomb[start + 4 :]
    path = Path(RAW, "food-101.zip")
    path.write_bytes(bomb)
    with pytest.raises(StageError, match=r"not a whole \.zip archive"):
        list(iterate_images(path))


SOUND = packed(contents())
PLAIN = gzip.decompress(SOUND)
ZIP = zipped(contents(), compression=zipfile.ZIP_STORED)


@st.composite
def mutated(draw) -> bytes:
    """The sound archive with bytes changed, taken out or put in: of the tar inside, or of the gzip around it."""
    inside = draw(st.booleans())
    content = bytearray(PLAIN if inside else SOUND)
    for _ in range(draw(st.integers(1, 4))):
        # Headers, where tarfile has something to misunderstand, more often than pixels.
        place = draw(st.integers(0, len(content) // 512 - 1)) * 512 + draw(st.integers(0, 345)) if inside else draw(
            st.integers(0, len(content) - 1)
        )  # fmt: skip
        match draw(st.sampled_from(("change", "cut", "remove", "insert"))):
            case "change":
                content[place : place + 8] = draw(st.binary(min_size=8, max_size=8))
            case "cut":
                del content[max(place, 1) :]
            case "remove":
                del content[place : place + draw(st.integers(1, 600))]
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=600))
        if len(content) < 1024:
            break
    return gzip.compress(bytes(content), 1) if inside else bytes(content)


@st.composite
def mutated_ends(draw, sound: bytes) -> bytes:
    """Bytes changed or taken out, more often near the end, where .zip and Parquet keep what says where the rest is."""
    content = bytearray(sound)
    for _ in range(draw(st.integers(1, 4))):
        near = draw(st.booleans())
        place = draw(st.integers(max(4, len(content) - 2000) if near else 4, len(content) - 1))
        match draw(st.sampled_from(("change", "cut", "remove", "insert"))):
            case "change":
                content[place : place + 8] = draw(st.binary(min_size=8, max_size=8))
            case "cut":
                del content[max(place, 64) :]
            case "remove":
                del content[place : place + draw(st.integers(1, 600))]
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=600))
        if len(content) < 64:
            break
    return bytes(content)


def read_mutations(mutations, write, path: Path) -> None:
    """Each is read, or refused for its user: no other exception, no hang (two minutes), no memory kept (50 MB)."""
    ran = refusals = 0
    process, memory = psutil.Process(), []

    @settings(
        max_examples=500, deadline=120_000, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(mutations)
    def read(content):
        nonlocal ran, refusals
        write(content)
        ran += 1
        try:
            read_meta(path)
            for _ in iterate_images(path):
                pass
        except StageError:
            refusals += 1
        if ran in (100, 500):
            memory.append(process.memory_info().rss)

    read()
    assert ran >= 500
    assert 100 < refusals < ran
    assert memory[-1] - memory[0] < 50 << 20


def test_five_hundred_mutated_archives(tmp_path):
    path = tmp_path / "food-101.tar.gz"
    read_mutations(mutated(), path.write_bytes, path)


def test_five_hundred_mutated_zips(tmp_path):
    path = tmp_path / "food-101.zip"
    read_mutations(mutated_ends(ZIP), path.write_bytes, path)


def test_five_hundred_mutated_shards(tmp_path):
    write_shards(contents(), tmp_path, count=1)
    shard = tmp_path / "train-00000-of-00001.parquet"
    read_mutations(mutated_ends(shard.read_bytes()), shard.write_bytes, tmp_path)
