"""Food-101's layout (Bossard et al. 2014), under any top folder or none.

    food-101/images/<class>/<id>.jpg
    food-101/meta/classes.txt        one class directory a line
    food-101/meta/train.txt          one <class>/<id> a line, the official training images
    food-101/meta/test.txt           the official test images

Everything else is passed over: the lists as JSON, labels.txt, Kaggle's *.h5, what macOS and Windows leave.
"""

from pathlib import Path, PurePosixPath

from stages.runtime.errors import StageError

META_FILES = ("classes.txt", "train.txt", "test.txt")
# Of one file, unpacked: Food-101's largest photograph has 0.2 MB. gzip makes gigabytes of a hostile megabyte.
LARGEST_MEMBER = 64 << 20


def meta_name(member: str) -> str | None:
    """Which of META_FILES a path is, if any.

    >>> meta_name("food-101/meta/train.txt"), meta_name("food-101/meta/train.json")
    ('train.txt', None)
    """
    *_, folder, name = ("", "", *PurePosixPath(member).parts[-2:])
    return name if folder == "meta" and name in META_FILES else None


def image_name(member: str) -> str | None:
    """The "class/id" of a photograph's path, None for any other file.

    >>> image_name("food-101/images/apple_pie/134.jpg"), image_name("food-101/README.txt")
    ('apple_pie/134', None)
    """
    file = PurePosixPath(member)
    parts = file.parts[-3:]
    # macOS packs a companion "._123.jpg" beside each file.
    if len(parts) < 3 or parts[0] != "images" or file.suffix != ".jpg" or file.name.startswith("."):
        return None
    return f"{parts[1]}/{file.stem}"


def check_size(path: str | Path, member: str, size: int) -> None:
    """Refuse a file of more than LARGEST_MEMBER bytes, before it is read.

    Raises:
        StageError: with the size and the largest one accepted.
    """
    if size > LARGEST_MEMBER:
        raise StageError(
            f"{path}: {member} has {size:,} bytes; accepted: at most {LARGEST_MEMBER:,}, more than any photograph of "
            f"Food-101 has."
        )
