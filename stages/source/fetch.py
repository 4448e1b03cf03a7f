"""Brings Food-101 from where data.url and data.mirrors say to data/raw/, verified: http(s):, file: or a path."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stages.runtime.files import require_space, whole_folder
from stages.source import dvc_cache
from stages.source.errors import SourceError
from stages.source.local import archive_name, bring, bring_archive, verified
from stages.source.resumable import downloaded


def fetch_dataset(urls: Sequence[str], md5: str | None, folder: str | Path) -> str:
    """Bring Food-101 from the first of `urls` that has it and return its MD5.

    `folder` appears whole and verified, or not at all. A download that was interrupted goes on where it stopped, from a
    mirror too where `md5` is given: its bytes wait in .dvc/tmp/downloads/ of $DVC_ROOT. A relative path is looked up
    in the project's root, then in $DVC_ROOT, since `dvc exp run --temp` works in a copy without untracked files. An
    archive that DVC's cache still holds is taken from there: DVC names a cached file by its MD5, and forgets the
    output itself when the stage's code changes.

    Args:
        urls: data.url, then data.mirrors.
        md5: 32 hexadecimal digits; None: not verified.
        folder: what stood there is replaced.

    Raises:
        SourceError: when no source has it, with what each of them had in its place.
        StageError: when the disk is too small, or another process is at the same download.
    """
    failures = []
    for number, url in enumerate(urls):
        try:
            with whole_folder(folder) as temporary:
                return _fetch(url, md5, temporary)
        except SourceError as error:
            if len(urls) == 1:
                raise
            failures.append(f"  {url}: {error}")
            if number + 1 < len(urls):
                print(f"{url} failed: {error}\nNext: {urls[number + 1]}", file=sys.stderr)
    raise SourceError(f"data.url and data.mirrors failed, all {len(urls)} of them:\n" + "\n".join(failures))


def _fetch(url: str, md5: str | None, folder: Path) -> str:
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        return _from_cache(md5, folder) or _download(url, md5, folder)
    if scheme == "file":
        return bring(_found(_local_path(url)), md5, folder)
    if "://" in url:
        raise SourceError(f"data.url must be an http:, https: or file: URL, or a path; got '{url}'")
    return bring(_found(Path(url).expanduser()), md5, folder)


def _from_cache(md5: str | None, folder: Path) -> str | None:
    cached = dvc_cache.cached_file(md5) if md5 else None
    if cached is None:
        return None
    try:
        return bring_archive(cached, md5, folder, dvc_cache.link_types())
    except SourceError:
        print(f"{cached} is damaged and not used: downloading")
        for file in folder.iterdir():
            file.unlink()
        return None


def _download(url: str, md5: str | None, folder: Path) -> str:
    while True:
        with downloaded(url, md5, dvc_cache.project() / ".dvc/tmp/downloads") as partial:
            digest = partial.digest.hexdigest()
            try:
                verified(url, digest, md5)
            except SourceError as error:
                mixed = len(partial.urls) > 1
                partial.discard()
                if mixed:
                    print(f"{url}: what came from several places is not the archive: starting over", file=sys.stderr)
                    continue
                raise SourceError(f"{error} What was downloaded is removed.") from None
            with partial.path.open("rb") as file:
                name = archive_name(file.read(16))
            if os.stat(folder).st_dev != os.stat(partial.path).st_dev:
                require_space(folder.parent, partial.size)
            shutil.move(partial.path, folder / name)
            partial.discard()
        return digest


def _found(source: Path) -> Path:
    places = dict.fromkeys([source.absolute(), (dvc_cache.project() / source).absolute()])
    origin = next((place for place in places if place.exists()), None)
    if origin is None:
        raise SourceError(f"data.url: there is no {' and no '.join(map(str, places))}")
    return origin


def _local_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise SourceError(f"data.url: a file: URL must name a file of this machine, file:///path; got '{url}'")
    return Path(unquote(parts.path))
