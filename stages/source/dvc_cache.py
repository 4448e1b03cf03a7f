"""What DVC's configuration says of its cache: where it lies, and whether files may be linked to it."""

import os
from pathlib import Path

CACHED = "files/md5"  # DVC 3 names a cached file by its MD5


def project() -> Path:
    """The main repository, also when `dvc exp run --temp` works in a copy of it."""
    return Path(os.environ.get("DVC_ROOT", "."))


def cache_folder() -> Path:
    """Where `dvc cache dir` points: by config, config.local, the user's or the machine's configuration."""
    return Path(_section().get("dir") or project() / ".dvc/cache")


def cached_file(md5: str) -> Path | None:
    """The file with that MD5 that DVC's cache holds, if any."""
    path = cache_folder() / CACHED / md5[:2] / md5[2:]
    return path if path.is_file() else None


def link_types() -> list[str]:
    """The link types of `cache.type`, in the order in which they are tried; DVC's default where it is not set."""
    return _section().get("type") or ["reflink", "copy"]


def _section() -> dict:
    # Imported here, as it costs 0.2 s, and only what comes from elsewhere needs it.
    from dvc.config import Config, ConfigError

    folder = project() / ".dvc"
    try:
        return Config(str(folder)).get("cache", {}) if folder.is_dir() else {}
    except ConfigError:
        return {}  # `dvc` itself refuses it, with its reason
