"""End to end: `dvc repro`, `dvc exp run`, `dvc metrics diff` in a temporary repository."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.hold import Hold
from tests.project import Project
from tests.waiting import LIMIT, descendants, wait_for_end, wait_until

SUMMARIES = {"evaluate_colorization", "compare", "report"}
ENCODER_RERUNS = {
    "train_autoencoder@colorization",
    "extract_latents@colorization",
    "train_probes@colorization",
    "paint@colorization",
} | SUMMARIES
LOSS_RERUNS = ENCODER_RERUNS | {"prepare_objectives", "train_control@swapped"}
CONTROLS = {
    "train_control@random",
    "train_control@swapped",
    "extract_latents@random",
    "train_probes@random",
    "finetune@random",
}
PIXEL_PROBES = {"train_pixel_probes@rgb_small", "paint@colorization", "paint_baselines"} | SUMMARIES
AFTER_SPLIT = LOSS_RERUNS | CONTROLS | PIXEL_PROBES | {"convert_to_lab", "convert_held_out", "count_colors"}
LATENT_PROBES = {"train_probes@random", "train_probes@colorization", "compare", "report"}
PROBES = LATENT_PROBES | PIXEL_PROBES
LATENTS = {"extract_latents@random", "extract_latents@colorization"} | LATENT_PROBES


def ran(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def test_the_second_repro_runs_nothing(project):
    assert ran(project.run("dvc", "repro").stdout) == set()
    assert "up to date" in project.run("dvc", "status").stdout


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"data": {"sample_seed": 1}}, {"download", "split"} | AFTER_SPLIT),
        ({"data": {"images_per_class": 13}}, {"split"} | AFTER_SPLIT),
        ({"split": {"held_out_classes": 3}}, {"split"} | AFTER_SPLIT),
        ({"lab": {"resize": "squash"}}, AFTER_SPLIT),
        ({"model": {"latent_channels": 3}}, ENCODER_RERUNS | CONTROLS),
        ({"model": {"block_out_channels": [8, 8, 16]}}, ENCODER_RERUNS | CONTROLS | PROBES),
        ({"pretext": {"seeds": 2}}, ENCODER_RERUNS | CONTROLS),
        ({"loss": {"pixel": "l1"}}, LOSS_RERUNS),
        ({"loss": {"lpips_weight": 0.5}}, LOSS_RERUNS),
        ({"train": {"epochs": 2}}, ENCODER_RERUNS | CONTROLS),
        ({"latents": {"precision": "bfloat16"}}, LATENTS),
        ({"latents": {"layers": ["down_0", "mid", "latent"]}}, LATENTS),
        ({"probe": {"seeds": 3}}, PROBES),
        ({"probe": {"linear_c": [1.0]}}, PROBES),
        (
            {"probe": {"representations": {"pixels": ["rgb_small", "rgb"]}}},
            {"train_pixel_probes@rgb", "compare", "report"},
        ),
        ({"evaluate": {"lpips_net": "squeeze"}}, {"paint@colorization", "paint_baselines"} | SUMMARIES - {"compare"}),
        ({"finetune": {"steps": 2}}, {"finetune@random", "compare", "report"}),
        ({"compare": {"resamples": 200}}, {"compare", "report"}),
        ({"seed": 1}, {"split"} | AFTER_SPLIT),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",  # a set's order differs between processes
)
def test_a_parameter_can_rerun_what_depends_on_it_and_nothing_else(scratch, change, expected):
    """What DVC calls changed, and all that lies downstream of it.

    That much may run; a stage below one that made the same bytes again is skipped, as those below `random` are when
    `train.*` changes.
    """
    before = (scratch.path / "params.yaml").read_text()
    try:
        scratch.change(change)
        # What check_params writes is always the same: no stage runs again because it did.
        assert scratch.downstream(scratch.changed() - {"check_params"}) == expected
    finally:
        (scratch.path / "params.yaml").write_text(before)


def test_an_experiment_runs_what_it_changes_and_shows_what_that_did(project):
    result = project.run("dvc", "exp", "run", "-S", "loss.lpips_weight=0.5")
    assert ran(result.stdout) == LOSS_RERUNS | {"check_params"}
    assert (project.path / "data/objectives/colorization/train.json").exists()
    assert "loss.lpips_weight" in project.run("dvc", "params", "diff").stdout
    difference = project.run("dvc", "metrics", "diff", "--all").stdout
    assert "in_domain.colorization.accuracy" in difference
    lpips = re.search(r"colorization\.json +in_domain\.colorization\.lpips +(\S+) +(\S+)", difference)
    assert lpips[1] != lpips[2]
    assert "in_domain.colorization.accuracy" in project.run("dvc", "exp", "show", "--csv").stdout

    # Back to the committed parameter: the run cache remembers it, only what git keeps is written again.
    project.run("git", "checkout", "params.yaml", "dvc.lock", "metrics")
    project.run("dvc", "checkout")
    assert ran(project.run("dvc", "repro").stdout) == set()


def test_an_experiment_in_a_temporary_folder(project):
    result = project.run("dvc", "exp", "run", "--temp", "--name", "elsewhere", "-S", "compare.resamples=200")
    assert ran(result.stdout) == {"check_params", "compare", "report"}
    assert "up to date" in project.run("dvc", "status").stdout
    shown = project.run("dvc", "exp", "show", "--csv").stdout
    assert "elsewhere" in shown


@pytest.mark.parametrize(
    ("override", "key"),
    [("loss.lpips_wieght=1", "lpips_wieght"), ("loss.lpips_weight=-1", "loss.lpips_weight must be")],
)
def test_a_wrong_parameter_is_refused_by_name(project, override, key):
    result = project.run("dvc", "exp", "run", "-S", override, check=False)
    assert result.returncode != 0
    assert key in result.stdout
    assert "Traceback" not in result.stdout


def test_plots_are_drawn(project):
    output = project.run("dvc", "plots", "show", "--json").stdout
    assert "WARNING" not in output
    plots = json.loads(output)
    assert not plots.get("errors")
    drawn = " ".join(name for name, renderings in plots["data"].items() if renderings)
    for name in (
        "Accuracy",
        "Lifts",
        "Label efficiency",
        "Depth",
        "Probe curves",
        "metrics/accuracy.svg",
        "data/training/colorization/plots/metrics/validation/loss.tsv",
        "data/comparison/confusion/out/colorization.csv",
        "data/painted/colorization/in_domain.png",
    ):
        assert name in drawn
    project.run("dvc", "plots", "diff", "HEAD", "--out", "plots_page")
    assert (project.path / "plots_page/index.html").exists()


@pytest.mark.slow
def test_two_forced_runs_give_the_same_lock(project):
    before = (project.path / "dvc.lock").read_bytes()
    output = project.run("dvc", "repro", "--force").stdout
    assert len(ran(output)) == len(project.lock())
    assert (project.path / "dvc.lock").read_bytes() == before
    assert project.run("git", "status", "--porcelain").stdout == ""


def test_another_clone_takes_the_results_from_a_shared_cache(project, tmp_path):
    project.run("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    project.commit()
    project.run("dvc", "push", "--run-cache")
    project.run("git", "clone", "--quiet", str(project.path), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "pull", "--run-cache")
    heavy = {name for name in project.lock() if name not in SUMMARIES}
    assert not ran(clone.run("dvc", "repro").stdout) & heavy
    assert clone.run("git", "status", "--porcelain").stdout == ""


LONGER = {"train": {"epochs": 3, "batch_size": 2}}
TRAINING = "train_autoencoder@colorization"
STEP = 21  # of 16 an epoch: in the middle of the second


@pytest.fixture(scope="module")
def longer(finished, tmp_path_factory) -> Project:
    """A project whose next training takes several epochs."""
    project = finished.copy(tmp_path_factory.mktemp("longer") / "project")
    project.change(LONGER)
    project.commit()
    return project


@pytest.fixture(scope="module")
def undisturbed(longer, tmp_path_factory) -> dict:
    """The lock of the longer training when nothing interrupts it."""
    project = longer.copy(tmp_path_factory.mktemp("undisturbed") / "project")
    project.run("dvc", "repro", TRAINING)
    return project.lock()[TRAINING]["outs"]


@pytest.fixture
def hold(tmp_path) -> Hold:
    return Hold(tmp_path / "hold", STEP)


def interrupt(project: Project, hold: Hold, command: list[str], signum: int) -> None:
    """Start a command, send its process group a signal within a step of the training, and wait for the end of all."""
    process = project.start(*command, **hold.environment)
    hold.wait(process)
    stages = descendants(process)
    os.killpg(process.pid, signum)
    if signum != signal.SIGKILL:
        wait_until(lambda: hold.signals() == [1])
        hold.release()
    assert process.wait(timeout=LIMIT) != 0
    wait_for_end(stages)
    assert checkpoints(project), "no checkpoint is left to resume from"


def checkpoints(project: Project) -> list[Path]:
    return list((project.path / ".dvc/tmp/checkpoints").glob("*.pt"))


@pytest.mark.parametrize(
    "signum",
    [signal.SIGKILL, *(pytest.param(signum, marks=pytest.mark.slow) for signum in (signal.SIGTERM, signal.SIGINT))],
    ids=lambda signum: signum.name,
)
def test_an_interrupted_training_resumes_and_ends_in_the_same_bytes(longer, undisturbed, hold, tmp_path, signum):
    project = longer.copy(tmp_path / "project")
    interrupt(project, hold, ["dvc", "repro", TRAINING], signum)
    output = project.run("dvc", "repro", TRAINING).stdout
    saved = STEP - 1 if signum == signal.SIGKILL else STEP
    assert f"resuming at step {saved} " in output
    assert project.lock()[TRAINING]["outs"] == undisturbed
    assert not list((project.path / ".dvc/tmp/checkpoints").iterdir())


def test_a_stage_ends_when_dvc_alone_is_killed_whatever_the_shell(longer, hold, tmp_path, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/sh")
    project = longer.copy(tmp_path / "project")
    process = project.start("dvc", "repro", TRAINING, **hold.environment)
    hold.wait(process)
    stages = [child for child in descendants(process) if "python" in child.name()]
    process.terminate()
    process.wait(timeout=LIMIT)
    wait_until(lambda: hold.signals() == [1])
    hold.release()
    assert stages
    wait_for_end(stages)


@pytest.mark.slow
def test_an_interrupted_experiment_in_a_temporary_folder_resumes(longer, undisturbed, hold, tmp_path):
    project = longer.copy(tmp_path / "project")
    command = ["dvc", "exp", "run", "--temp", "--name", "again", TRAINING]
    interrupt(project, hold, command, signal.SIGKILL)
    output = project.run(*command).stdout
    assert "resuming at step" in output
    project.run("dvc", "exp", "apply", "again")
    assert project.lock()[TRAINING]["outs"] == undisturbed
