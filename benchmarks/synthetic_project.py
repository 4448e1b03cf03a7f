"""A throw-away project on a synthetic archive, whose stages a benchmark runs."""

import shutil
from pathlib import Path

import yaml

from benchmarks.many_images import write_synthetic_archive
from tests.project import TRACKED

ROOT = Path(__file__).parents[1]


def make_project(project: Path, images: int, profile: str, changes: dict[str, dict]) -> None:
    """Copy the code, write an archive of so many images, and the parameters that read it.

    Args:
        project: the folder; it is made where it is not there.
        profile: its parameters are taken, as `sample`.
        changes: to the parameters, by group.
    """
    for name in TRACKED:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, project / name)
    write_synthetic_archive(project / "synthetic.tar.gz", images)
    params = yaml.safe_load((ROOT / f"profiles/{profile}.yaml").read_text(encoding="utf-8"))
    for group, values in changes.items():
        params[group] |= values
    params["data"] |= {"url": str(project / "synthetic.tar.gz"), "md5": None}
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
