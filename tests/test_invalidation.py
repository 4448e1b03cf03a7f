"""A change of code reruns what it can change, and nothing else: a finished project is edited, and DVC is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.project import Project
from tests.test_pipeline import CONTROLS, LOSS_RERUNS, PROBES, ran


@contextmanager
def edited(project: Project, *patterns: str) -> Iterator[None]:
    """The project with a line more in every file of these patterns."""
    contents = {
        path: path.read_bytes() for pattern in patterns for path in project.path.glob(pattern) if path.is_file()
    }
    assert contents
    try:
        for path, content in contents.items():
            path.write_bytes(content + (b"\n# edited\n" if path.suffix == ".py" else b"\n"))
        yield
    finally:
        for path, content in contents.items():
            path.write_bytes(content)


def reruns(project: Project, *patterns: str) -> set[str]:
    """The stages that may run again after an edit of these files: the changed ones and all that depend on them."""
    with edited(project, *patterns):
        return project.downstream(project.changed())


@pytest.fixture(scope="module", autouse=True)
def clean(scratch) -> None:
    assert scratch.changed() == set()


def test_a_changed_error_message_of_the_schema_runs_check_params_alone(project):
    schema = project.path / "stages/runtime/schema.py"
    schema.write_text(schema.read_text().replace("must be", "has to be"))
    assert "has to be" in schema.read_text()
    assert project.changed() == {"check_params"}
    assert ran(project.run("dvc", "repro").stdout) == {"check_params"}
    assert project.changed() == set()


def test_a_change_of_how_stages_run_leaves_all_but_check_params_clean(scratch):
    """Messages, signals, whole files, the reader and the schema of parameters."""
    with edited(scratch, "stages/runtime/**/*"):
        assert scratch.changed() == {"check_params"}


@pytest.mark.parametrize("loss", ["pixel", "critic", "color_classes"])
def test_a_changed_loss_leaves_all_controls_but_swapped_clean(scratch, loss):
    assert reruns(scratch, f"stages/losses/{loss}.py") == LOSS_RERUNS


def test_swapped_trains_again_after_a_changed_loss_and_not_after_an_added_control(project):
    """Both run a stage that writes a file for each control: only those that changed may train again."""
    with edited(project, "stages/losses/pixel.py"):
        project.run("dvc", "repro", "prepare_objectives")
        assert project.changed() & CONTROLS == {"train_control@swapped"}
    project.run("dvc", "repro", "prepare_objectives")
    assert project.changed() == set()
    project.change({"pretext": {"controls": ["random", "reconstruction", "swapped"]}})
    project.run("dvc", "repro", "prepare_objectives", "convert_held_out")
    assert project.changed() == {"train_control@reconstruction", "report"}


def test_a_changed_loader_of_lpips_leaves_the_controls_clean(scratch):
    """It reruns what is trained with LPIPS, and what is scored by it."""
    assert reruns(scratch, "stages/losses/perceptual.py") == LOSS_RERUNS | {"paint_baselines"}


@pytest.mark.parametrize("code", ["stages/probing/**/*", "stages/classifiers/[!_n]*.py", "stages/train_*probes.py"])
def test_a_changed_probe_leaves_every_encoder_clean(scratch, code):
    stages = reruns(scratch, code)
    assert {"train_probes@colorization", "train_pixel_probes@rgb_small"} <= stages <= PROBES | {"finetune@random"}


def test_a_changed_chart_leaves_all_but_the_report_clean(scratch):
    assert reruns(scratch, "stages/reporting/**/*", "stages/report.py") == {"report"}


def test_a_changed_comparison_leaves_every_probe_clean(scratch):
    assert reruns(scratch, "stages/compare.py", "stages/comparison/*") == {"compare", "report"}


def test_a_changed_downloader_leaves_all_but_download_clean(scratch):
    """What follows runs again only if the archive has become another."""
    with edited(scratch, "stages/source/*.py", "stages/download.py"):
        assert scratch.changed() == {"download"}


def test_what_python_and_editors_leave_behind_changes_nothing(scratch):
    litter = (
        *("__pycache__/pixel.cpython-311.pyc", "pixel.pyc", ".ipynb_checkpoints/pixel-checkpoint.py", ".DS_Store"),
        *(".pixel.py.swp", ".pixel.py.swo", "pixel.py~", "#pixel.py#", "pixel.py.orig", "pixel.py.rej"),
    )
    rooms = [path for path in (scratch.path / "stages").iterdir() if path.is_dir()]
    files = [room / name for room in rooms for name in litter]
    links = [room / ".#pixel.py" for room in rooms]  # Emacs's lock: a link to nowhere
    try:
        for file in files:
            file.parent.mkdir(exist_ok=True)
            file.write_text("litter")
        for link in links:
            link.symlink_to("user@host.1234")
        assert scratch.changed() == set()
    finally:
        for path in (*files, *links):
            path.unlink(missing_ok=True)


def test_a_new_objective_that_is_not_trained_leaves_every_training_clean(project):
    """`prepare_objectives` runs again, for a second, and writes what it wrote."""
    objectives = project.path / "stages/objectives"
    (objectives / "blurred.py").write_text((objectives / "colorization.py").read_text())
    assert project.changed() == {"prepare_objectives"}
    assert ran(project.run("dvc", "repro").stdout) == {"prepare_objectives"}
    assert project.changed() == set()


def test_a_new_control_that_is_not_trained_changes_nothing(scratch):
    module = scratch.path / "stages/controls/blurred.py"
    module.write_text("# not trained\n")
    try:
        assert scratch.changed() == set()
    finally:
        module.unlink()


def test_a_float_written_as_an_integer_changes_no_value(scratch):
    """DVC takes 1 and 1.0 for equal, as the schema does, which makes a float of either."""
    params = scratch.path / "params.yaml"
    before = params.read_text()
    assert scratch.params()["loss"]["pixel_weight"] == 1.0
    try:
        scratch.change({"loss": {"pixel_weight": 1}})
        assert params.read_text() != before
        assert scratch.changed() == {"check_params"}
    finally:
        params.write_text(before)
