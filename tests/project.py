"""A temporary git and DVC repository with a small study, for end-to-end tests."""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from threadpoolctl import threadpool_limits

from stages.runtime.schema import Control, Objective

ROOT = Path(__file__).parents[1]
TRACKED = ["stages", "profiles", "dvc.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore"]

# Each stage in the order of the pipeline, once for each of its matrix values.
ENCODERS = [*get_args(Control), *get_args(Objective)]
RUNS = {
    "check_params": [[]],
    "download": [[]],
    "split": [[]],
    "convert_to_lab": [[]],
    "convert_held_out": [[]],
    "count_colors": [[]],
    "prepare_objectives": [[]],
    "train_autoencoder": [[name] for name in get_args(Objective)],
    "train_control": [[name] for name in get_args(Control)],
    "extract_latents": [[name] for name in ENCODERS],
    "train_probes": [[name] for name in ENCODERS],
    "train_pixel_probes": [["rgb_small"]],
    "finetune": [["random"]],
    "finetune_pixels": [["rgb"]],
    "paint": [[name] for name in get_args(Objective)],
    "paint_baselines": [[]],
    "evaluate_colorization": [[]],
    "compare": [[]],
    "report": [[]],
}

# The whole study in the fewest images and steps; every stage still does its work.
SMALL = {
    "data": {"images_per_class": 12},
    "model": {"block_out_channels": [8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4},
    "pretext": {"controls": ["random", "swapped"]},
    "train": {"epochs": 1, "batch_size": 16},
    "latents": {"layers": ["mid", "latent"], "features": 256},
    "evaluate": {"probe": "rgb_small"},
    "probe": {
        "representations": {"pixels": ["rgb_small"], "latents": ["random", "colorization"]},
        "seeds": 2,
        "epochs": 1,
        "channels": [4, 4],
        "learning_rates": [1e-3],
        "linear_c": [0.1],
        "knn_k": [5],
        "shots": [1],
        "draws": 2,
        "ridge_alphas": [1.0, 100.0],
    },
    "finetune": {
        "representations": {"pixels": [], "latents": ["random"]},
        "steps": 1,
        "batch_size": 4,
        "learning_rates": [1e-3],
        "shots": [1],
        "draws": 1,
    },
    "compare": {"resamples": 100},
}


def merged(values: dict, changes: dict) -> dict:
    """`values` with the leaves of `changes` in their places."""
    return values | {
        key: merged(values[key], change) if isinstance(change, dict) else change for key, change in changes.items()
    }


class Project:
    """A git and DVC repository."""

    def __init__(self, path: Path):
        self.path = path

    def run(self, *command: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        """Run a command in the project, with the programs of this virtual environment; `stdout` holds both streams."""
        result = subprocess.run(
            command,
            cwd=self.path,
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )
        if check and result.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}")
        return result

    def run_in_process(self, stages: list[tuple[str, ...]]) -> None:
        """Run stages, each with its arguments, without DVC and on one thread: without their start-up of seconds."""
        with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
            patch.chdir(self.path)
            for stage, *arguments in stages:
                patch.setattr(sys, "argv", [stage, *arguments])
                importlib.import_module(f"stages.{stage}").main()

    def start(self, *command: str, **variables: str) -> subprocess.Popen:
        """Start a command in a new process group, without its output. Trainings save after every step."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=environment() | {"STAGES_CHECKPOINT_SECONDS": "0"} | variables,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def params(self) -> dict:
        return yaml.safe_load((self.path / "params.yaml").read_text())

    def change(self, changes: dict) -> None:
        """Rewrite params.yaml with some leaves changed."""
        (self.path / "params.yaml").write_text(yaml.safe_dump(merged(self.params(), changes), sort_keys=False))

    def changed(self) -> set[str]:
        """The stages that `dvc status` lists: one of their parameters, files or folders of code has changed."""
        from dvc.repo import Repo

        with contextlib.chdir(self.path), Repo() as repo:
            return set(repo.status())

    def downstream(self, stages: set[str]) -> set[str]:
        """These stages and all that depend on their outputs: what runs again if every output differs.

        But for the empty file that `prepare_objectives` writes to each control that takes nothing of the objectives'
        parameters, which never does.
        """
        from dvc.repo import Repo

        with contextlib.chdir(self.path), Repo() as repo:
            graph = repo.index.graph
            reached = {stage for stage in graph if stage.addressing in stages}
            same = {stage for stage in graph if stage.addressing == "prepare_objectives"}
            below = {
                stage: set(graph.successors(stage))
                - (same if re.match("train_control@(?!swapped)", stage.addressing) else set())
                for stage in graph
            }
            while more := {stage for stage in graph if reached & below[stage]} - reached:
                reached |= more
            return {stage.addressing for stage in reached}

    def lock(self) -> dict:
        return yaml.safe_load((self.path / "dvc.lock").read_text())["stages"]

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "test")

    def copy(self, path: Path) -> "Project":
        """A copy of the project, with its cache."""
        shutil.copytree(self.path, path, symlinks=True)
        return Project(path)


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_", "STAGES_"))}
    programs = str(Path(sys.executable).parent)
    names = {
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@t",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@t",
    }
    return (
        kept
        | names
        | {
            "OMP_NUM_THREADS": "1",
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )


def make_project(path: Path) -> Project:
    """The project's files, with the small parameters, committed."""
    for name in TRACKED:
        source, target = ROOT / name, path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    shutil.copy(ROOT / "profiles/sample.yaml", path / "params.yaml")
    project = Project(path)
    project.change(SMALL)
    project.run("git", "init", "--quiet")
    project.commit()
    return project
