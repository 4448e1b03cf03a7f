"""The key of a training's checkpoint: a hash of everything that dvc.yaml declares its result to depend on."""

import hashlib
import importlib.metadata
import os
from functools import reduce
from pathlib import Path

import yaml

from stages.runtime.schema import Params
from stages.training.file_digest import update_digest


def inputs_key(stage: str, item: str, params: Params) -> str:
    """A hexadecimal digest of a matrix stage's parameters and dependencies, as dvc.yaml declares them.

    It covers the contents of the dependencies (code and data; of a folder, all files that .dvcignore does not ignore),
    the values of the parameters and the versions of the packages that compute, but not where the project lies.

    Args:
        stage: name in dvc.yaml.
        item: its matrix value, e.g. `colorization`, for `${item...}`.
        params: the parameters as read.
    """
    declared = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    (dimension,) = declared["matrix"]
    digest = hashlib.blake2b(digest_size=16)
    versions = [importlib.metadata.version(package) for package in ("torch", "diffusers", "lpips")]
    digest.update(repr((stage, item, versions)).encode())
    for key in declared["params"]:
        value = reduce(getattr, key.split("."), params)
        digest.update(f"{key}={value!r}\n".encode())
    update_digest(digest, (dependency.replace(f"${{item.{dimension}}}", item) for dependency in declared["deps"]))
    return digest.hexdigest()


def local_state(name: str) -> Path:
    """The folder $DVC_ROOT/.dvc/tmp/<name>, for what must outlive an interrupted run and is no output.

    In `dvc exp run --temp` DVC_ROOT is the repository itself, not the copy, which DVC deletes when the run fails.
    """
    return Path(os.environ.get("DVC_ROOT", ".")) / ".dvc" / "tmp" / name
