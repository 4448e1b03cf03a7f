"""A digest of files, as DVC sees them."""

from collections.abc import Iterable
from pathlib import Path

from pathspec import PathSpec

CHUNK = 1 << 20


def update_digest(digest, dependencies: Iterable[str | Path]) -> None:
    """Add the names and the contents of files, and of all files below folders that .dvcignore does not ignore.

    Args:
        digest: of `hashlib`.
        dependencies: paths from the project's root, which is the working directory.
    """
    ignored = PathSpec.from_lines("gitignore", Path(".dvcignore").read_text(encoding="utf-8").splitlines())
    for dependency in dependencies:
        for path in _files(Path(dependency), ignored):
            digest.update(f"{path.as_posix()}\n".encode())
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)


def _files(dependency: Path, ignored: PathSpec) -> list[Path]:
    """The dependency itself, or all files below it that DVC sees, sorted."""
    if not dependency.is_dir():
        return [dependency]
    return sorted(path for path in dependency.rglob("*") if path.is_file() and not ignored.match_file(path.as_posix()))
