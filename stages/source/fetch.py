"""Brings the archive from where data.url says to its place, verified: http(s):, file: or a path."""

import hashlib
import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tqdm import tqdm

from stages.runtime.errors import StageError
from stages.runtime.files import require_space, whole_file
from stages.source.partial import CHUNK
from stages.source.resumable import GZIP_MAGIC, downloaded


def fetch_archive(url: str, md5: str | None, path: str | Path) -> str:
    """Download or copy `url` to `path` and return its MD5; `path` appears whole and verified, or not at all.

    A download that was interrupted goes on where it stopped: its bytes wait in .dvc/tmp/downloads/ of
    $DVC_ROOT. A relative path is looked up in the project's root, then in $DVC_ROOT, since
    `dvc exp run --temp` works in a copy without untracked files. A local file is copied: through a link
    DVC would make the user's own file read-only. An archive that DVC's cache still holds is copied from
    there: DVC names a cached file by its MD5, and forgets the output itself when the stage's code changes.

    Raises:
        StageError: when the source cannot be had, is not an archive, or has another MD5 than `md5`
            (32 hexadecimal digits; None: not verified); when the disk is too small.
    """
    path = Path(path)
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        cached = _project() / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}" if md5 else None
        if cached and cached.is_file():
            try:
                return _copy(cached, md5, path)
            except StageError:
                print(f"{cached} is damaged and not used: downloading")
        return _download(url, md5, path)
    if scheme == "file":
        return _copy(_local_path(url), md5, path)
    if "://" in url:
        raise StageError(f"data.url must be an http:, https: or file: URL, or a path; got '{url}'")
    return _copy(Path(url).expanduser(), md5, path)


def _download(url: str, md5: str | None, path: Path) -> str:
    with downloaded(url, md5, _project() / ".dvc/tmp/downloads") as partial:
        found = partial.digest.hexdigest()
        if md5 not in (None, found):
            partial.discard()
            raise StageError(f"{_mismatch(url, found, md5)} What was downloaded is removed.")
        with whole_file(path) as temporary:
            if os.stat(path.parent).st_dev != os.stat(partial.path).st_dev:
                require_space(path.parent, partial.size)
            shutil.move(partial.path, temporary)
        partial.discard()
    return found


def _copy(source: Path, md5: str | None, path: Path) -> str:
    places = dict.fromkeys([source.absolute(), (_project() / source).absolute()])
    origin = next((place for place in places if place.exists()), None)
    if origin is None:
        raise StageError(f"data.url: there is no {' and no '.join(map(str, places))}")
    if not origin.is_file():
        raise StageError(f"data.url: {origin} is not a file; accepted: an archive laid out as Food-101's is")
    size = origin.stat().st_size
    digest = hashlib.md5(usedforsecurity=False)
    with whole_file(path) as temporary:
        require_space(path.parent, size)
        bar = tqdm(desc="copy", total=size, unit="B", unit_scale=True, disable=None)
        with origin.open("rb") as file, temporary.open("wb") as copy, bar:
            while chunk := file.read(CHUNK):
                if file.tell() == len(chunk) and not chunk.startswith(GZIP_MAGIC):
                    raise StageError(f"data.url: {origin} is not a gzipped archive: it begins with {chunk[:16]!r}")
                copy.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
        found = digest.hexdigest()
        if md5 not in (None, found):
            raise StageError(_mismatch(origin, found, md5))
    return found


def _local_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise StageError(f"data.url: a file: URL must name a file of this machine, file:///path; got '{url}'")
    return Path(unquote(parts.path))


def _project() -> Path:
    """The main repository, also when `dvc exp run --temp` works in a copy of it."""
    return Path(os.environ.get("DVC_ROOT", "."))


def _mismatch(source, found: str, expected: str) -> str:
    return (
        f"{source} has the MD5 {found}; data.md5 is {expected}. If that archive is the one you want, set "
        "data.md5 to its MD5 (or to null: not verified); otherwise correct data.url."
    )
