"""Food-101 as it lies on this machine: an archive, the folder that somebody unpacked, or Hugging Face's shards."""

import hashlib
from pathlib import Path

from stages.food101.sources import parquet, tar, zip
from stages.runtime.errors import StageError
from stages.source import dvc_cache
from stages.source.errors import SourceError
from stages.source.folder import find_files, pack_files
from stages.source.placing import place_file

OFFICIAL_MD5 = "85eeb15f3717b99a5da872d97d918f87"  # of the authors' food-101.tar.gz
FORMS = (
    "accepted: food-101.tar.gz, a .zip or a folder of the same layout (images/, meta/), a folder of Hugging Face's "
    "shards"
)


def bring(origin: Path, md5: str | None, folder: Path) -> str:
    """Put what `origin` holds into the empty `folder`, and return its MD5; verify it where `md5` is given.

    A .zip and shards are linked as `cache.type` allows, so that their gigabytes are written once, into DVC's cache. DVC
    copies such a file there and leaves the original unchanged. Only where `cache.type` begins with hardlink does the
    cache take the original and make it read-only; a line is printed then. A gzipped tar is copied.

    The MD5 of several files is that of the output of `md5sum`, sorted by name.

    Raises:
        SourceError: when it is no form of Food-101, or has another MD5.
    """
    if not origin.is_dir():
        return bring_archive(origin, md5, folder)
    if md5 == OFFICIAL_MD5:
        raise SourceError(
            f"data.url: {origin} is a folder, and data.md5 is that of the authors' {tar.NAME}. Set data.md5 to null: "
            "the MD5 of the folder is then printed."
        )
    files = find_files(origin)
    if {f"meta/{name}" for name in ("classes.txt", "train.txt", "test.txt")} <= files.keys():
        digest = pack_files(files, folder / zip.NAME)
        print(f"{origin}: {len(files):,} files packed into one")
    elif any(origin.rglob("*.parquet")):
        digest = _bring_shards(origin, folder)
    else:
        inside = [path.name for name in ("*.tar.gz", "*.tgz", "*.zip") for path in sorted(origin.glob(name))]
        hint = f". It holds {', '.join(inside)}: name that" if inside else f"; {FORMS}"
        raise SourceError(f"data.url: {origin} is a folder without images/ and meta/*.txt, and not a file{hint}")
    return verified(origin, digest, md5)


def bring_archive(origin: Path, md5: str | None, folder: Path, links: list[str] | None = None) -> str:
    """`bring` for one file; its first bytes identify the format. `links`: as `place_file` takes them."""
    with origin.open("rb") as file:
        start = file.read(16)
    name = archive_name(start)
    if name is None:
        if start.startswith(parquet.MAGIC):
            raise SourceError(f"data.url: {origin} is one shard. Set data.url to the folder of all of them.")
        raise SourceError(f"data.url: {origin} is not a gzipped archive, nor a .zip: it begins with {start!r}; {FORMS}")
    if links is None:
        links = [link for link in dvc_cache.link_types() if link == "reflink" or name == zip.NAME]
    digest, made = place_file(origin, folder / name, links)
    _print_hardlinked(origin, made)
    return verified(origin, digest, md5)


def archive_name(start: bytes) -> str | None:
    """What an archive is called in data/raw/, by its first bytes; None if it is neither kind."""
    for source in (tar, zip):
        if start.startswith(source.MAGIC):
            return source.NAME
    return None


def verified(source: object, digest: str, md5: str | None) -> str:
    """Return `digest`.

    Raises:
        SourceError: unless it is `md5`, or that is None.
    """
    if md5 not in (None, digest):
        raise SourceError(
            f"{source} has the MD5 {digest}; data.md5 is {md5}. If that archive is the one you want, set "
            "data.md5 to its MD5 (or to null: not verified); otherwise correct data.url."
        )
    return digest


def _bring_shards(origin: Path, folder: Path) -> str:
    try:
        shards = parquet.find_shards(origin)
    except StageError as error:
        raise SourceError(f"data.url: {error}") from None
    listing, links = hashlib.md5(usedforsecurity=False), dvc_cache.link_types()
    names = {}
    for shard in shards:
        split = parquet.split_of(shard)
        name = shard.name if shard.name.startswith(split) else f"{split}-{shard.name}"
        if name in names:
            raise SourceError(f"data.url: {origin} holds {name} twice: {names[name]} and {shard}.")
        names[name] = shard
    for name in sorted(names):
        digest, made = place_file(names[name], folder / name, links)
        listing.update(f"{digest}  {name}\n".encode())
        _print_hardlinked(names[name], made)
    return listing.hexdigest()


def _print_hardlinked(origin: Path, made: str) -> None:
    if made == "hardlink" and dvc_cache.link_types()[0] == "hardlink":
        print(f"{origin} is hard-linked into DVC's cache, which makes it read-only: cache.type begins with hardlink")
