"""What the pipeline knows of Food-101's archive (Bossard et al. 2014), in one place.

    food-101/images/<class>/<id>.jpg
    food-101/meta/classes.txt        one class directory a line
    food-101/meta/train.txt          one <class>/<id> a line, the official training images
    food-101/meta/test.txt           the official test images

The archive is streamed, never unpacked. Any top folder will do, or none.
"""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stages.runtime.errors import StageError

ARCHIVE = "data/raw/food-101.tar.gz"
META_FILES = ("classes.txt", "train.txt", "test.txt")
# Of one member, unpacked: Food-101's largest photograph has 0.2 MB. gzip makes gigabytes of a hostile megabyte.
LARGEST_MEMBER = 64 << 20
LARGEST_HEADER = 1 << 20
READ_WHOLE = (  # by tarfile: PAX records and long names
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


@dataclass(frozen=True)
class Meta:
    """The official split: class directory names, and per class its images as "class/id"."""

    classes: list[str]
    train: dict[str, list[str]]
    test: dict[str, list[str]]


def read_meta(path: str | Path = ARCHIVE) -> Meta:
    """Read meta/classes.txt, train.txt and test.txt, wherever in the archive they lie.

    Raises:
        StageError: when the archive is missing, is no gzipped tar, ends early or lacks one of the files;
            when an image is listed twice or under a class that is not in classes.txt; when a class has no
            training or no test image.
    """
    texts: dict[str, str] = {}
    with _streamed(path) as archive:
        for member in archive:
            *_, folder, name = ("", "", *PurePosixPath(member.name).parts[-2:])
            if member.isreg() and folder == "meta" and name in META_FILES:
                texts[name] = _decoded(_content(path, archive, member), f"{path}: {member.name}")
            if len(texts) == len(META_FILES):
                break
            del archive.members[:-1]  # tarfile keeps every header it has passed
    missing = [f"meta/{name}" for name in META_FILES if name not in texts]
    if missing:
        raise StageError(f"{path} lacks {', '.join(missing)}: it must be laid out as food-101.tar.gz is.")
    classes = _lines(texts["classes.txt"])
    repeated = {name for name in classes if classes.count(name) > 1}
    if repeated:
        raise StageError(f"{path}: meta/classes.txt lists {min(repeated)} twice.")
    where: dict[str, str] = {}
    train = _images_by_class(path, "train.txt", texts, classes, where)
    test = _images_by_class(path, "test.txt", texts, classes, where)
    return Meta(classes, train, test)


def iterate_images(path: str | Path = ARCHIVE) -> Iterator[tuple[str, bytes]]:
    """Yield ("class/id", JPEG bytes) of every images/<class>/<id>.jpg, in the archive's order.

    Raises:
        StageError: when the archive is missing, is no gzipped tar or ends early, or holds an image twice or one above
            LARGEST_MEMBER bytes.
    """
    seen = set()
    with _streamed(path) as archive:
        for member in archive:
            file = PurePosixPath(member.name)
            parts = file.parts[-3:]
            # macOS packs a companion "._123.jpg" beside each file.
            if not (member.isreg() and len(parts) == 3 and parts[0] == "images" and file.suffix == ".jpg"):
                continue
            if file.name.startswith("."):
                continue
            image = f"{parts[1]}/{file.stem}"
            if image in seen:
                raise StageError(f"{path}: {member.name} occurs twice.")
            seen.add(image)
            yield image, _content(path, archive, member)
            del archive.members[:-1]


class _Header(tarfile.TarInfo):
    """Refuses a header of any length that an archive may name."""

    def _proc_member(self, archive):
        if self.type in READ_WHOLE and self.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes; accepted: at most {LARGEST_HEADER:,}")
        try:
            return super()._proc_member(archive)
        except (ValueError, IndexError, OverflowError) as error:  # of numbers in PAX records, which tarfile trusts
            raise tarfile.ReadError(f"a header that cannot be read ({error})") from None


def _content(path: str | Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > LARGEST_MEMBER:
        raise StageError(
            f"{path}: {member.name} has {member.size:,} bytes; accepted: at most {LARGEST_MEMBER:,}, more than any "
            f"photograph of Food-101 has."
        )
    return archive.extractfile(member).read()


@contextmanager
def _streamed(path: str | Path) -> Iterator[tarfile.TarFile]:
    """Open the archive for one pass, and turn what is wrong with it into a StageError.

    `gzip` under tarfile's "r|" rather than "r|gz": tarfile's own decompression takes an archive that was
    cut between two members for a whole one.
    """
    archive = None
    try:
        with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_Header) as archive:
            yield archive
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro download` makes it.") from None
    except (EOFError, tarfile.TarError, zlib.error, gzip.BadGzipFile) as error:
        after = f" after {archive.members[-1].name}" if archive is not None and archive.members else ""
        raise StageError(
            f"{path} is not a whole gzipped tar archive: {error}{after}. "
            "Remove it and run `dvc repro download`, or correct data.url."
        ) from None


def _images_by_class(path, name, texts, classes, where: dict[str, str]) -> dict[str, list[str]]:
    """Group the lines of train.txt or test.txt; `where` remembers which file listed each image."""
    images: dict[str, list[str]] = {label: [] for label in classes}
    for image in _lines(texts[name]):
        label, slash, id_ = image.partition("/")
        if label not in images or not slash or not id_ or "/" in id_:
            raise StageError(
                f"{path}: meta/{name} lists {image!r}; accepted: <class>/<id>, the class in meta/classes.txt."
            )
        if image in where:
            twice = f"twice in {name}" if where[image] == name else f"in both {where[image]} and {name}"
            raise StageError(f"{path}: {image} is listed {twice} of meta/; accepted: once, in one of them.")
        where[image] = name
        images[label].append(image)
    empty = [label for label in classes if not images[label]]
    if empty:
        raise StageError(f"{path}: meta/{name} lists no image of {', '.join(empty[:5])}.")
    return images


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _decoded(content: bytes, place: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StageError(f"{place} is not UTF-8 text: {error}") from None
