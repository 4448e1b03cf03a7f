"""A folder in Food-101's layout, as torchvision or `unzip` leaves it, packed into one .zip without compression.

One file, because DVC spends its time on the number of files, not on their bytes: 101,000 of them, hard-linked,
would cost every `dvc repro` and each experiment in a copy more than packing them costs once.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from stages.food101 import layout
from stages.runtime.files import require_space
from stages.source.errors import SourceError

TOP = "food-101"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a .zip can name: no time of this machine
MODE = 0o644 << 16


def find_files(folder: Path) -> dict[str, Path]:
    """The photographs and lists at any depth below `folder`, by their place in the layout: "images/<class>/<id>.jpg".

    Links are followed. Other files are passed over.

    Raises:
        SourceError: when two files have one place.
    """
    files: dict[str, Path] = {}
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if list_name := layout.meta_name(name):
            place = f"meta/{list_name}"
        elif image := layout.image_name(name):
            place = f"images/{image}.jpg"
        else:
            continue
        if place in files:
            raise SourceError(
                f"data.url: {folder} holds {place} twice: {files[place]} and {path}. Name the folder of one of them."
            )
        files[place] = path
    return files


def pack_files(files: dict[str, Path], path: Path) -> str:
    """Pack them as `find_files` names them: the same files, the same bytes.

    Returns:
        the MD5 of what `md5sum` prints of the files, sorted by place.

    Raises:
        SourceError: when a name is not UTF-8; StageError: when a file is too large, or the disk too small.
    """
    require_space(path.parent.parent, sum(file.stat().st_size for file in files.values()))
    listing = hashlib.md5(usedforsecurity=False)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for place in tqdm(sorted(files), "packing", unit="file", disable=None, leave=False):
            layout.check_size(files[place].parent, files[place].name, files[place].stat().st_size)
            content = files[place].read_bytes()
            member = zipfile.ZipInfo(f"{TOP}/{place}", EPOCH)
            member.external_attr = MODE
            try:
                listing.update(f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {place}\n".encode())
            except UnicodeEncodeError:
                raise SourceError(
                    f"data.url: the name of {os.fsencode(files[place])} is not UTF-8: rename it."
                ) from None
            archive.writestr(member, content)
    return listing.hexdigest()


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below, links followed, no folder twice."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))
