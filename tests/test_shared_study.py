"""One study on several machines: clones of the repository that share nothing but git and a DVC remote."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import yaml

from tests.project import Project
from tests.test_pipeline import SUMMARIES, ran
from tests.waiting import LIMIT

# What each of two machines trains, in its working folder or in a temporary one, and how it hands that over: DVC pushes
# the outputs of what is checked out, or of experiments.
IN_PLACE, AS_EXPERIMENT = "split_brain", "color_classification"
TRAIN = {
    IN_PLACE: ("dvc", "repro", "--pull", "--allow-missing"),
    AS_EXPERIMENT: ("dvc", "exp", "run", "--temp", "--pull", "--allow-missing", "--name", AS_EXPERIMENT),
}
PUSH = {
    IN_PLACE: ("dvc", "push", "--run-cache"),
    AS_EXPERIMENT: ("dvc", "exp", "push", "--run-cache", "origin", AS_EXPERIMENT),
}
OWN = {name: {f"train_autoencoder@{name}", f"paint@{name}"} for name in TRAIN}  # the stages that only one machine runs


@pytest.fixture(params=["folder", "s3"])
def remote(request, tmp_path, monkeypatch) -> Iterator[dict[str, str]]:
    """The settings of an empty DVC remote: a folder, or a bucket of moto's server."""
    if request.param == "folder":
        yield {"url": str(tmp_path / "store")}
        return
    pytest.importorskip("dvc_s3")
    moto = pytest.importorskip("moto.server")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    requests.put(f"{endpoint}/bucket", timeout=LIMIT).raise_for_status()
    yield {"url": "s3://bucket/study", "endpointurl": endpoint}
    server.stop()


@pytest.fixture
def prepared(project, remote) -> Project:
    """The finished study with two more objectives, up to the stages that all machines need, pushed to the remote.

    One machine prepares them, so that the others start from the same bytes.
    """
    project.change({"pretext": {"objectives": ["colorization", *TRAIN]}})
    project.run("dvc", "remote", "add", "--default", "store", remote["url"])
    for option, value in remote.items():
        project.run("dvc", "remote", "modify", "store", option, value)
    project.run("dvc", "repro", "prepare_objectives")
    project.commit()
    project.run("dvc", "push", "--run-cache")
    return project


def clone(project: Project, path: Path) -> Project:
    project.run("git", "clone", "--quiet", str(project.path), str(path))
    return Project(path)


def experiment_lock(project: Project, name: str) -> dict:
    """As `Project.lock`, of an experiment that is not applied."""
    commit = project.run("git", "for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}").stdout.strip()
    return yaml.safe_load(project.run("git", "show", f"{commit}:dvc.lock").stdout)["stages"]


@pytest.mark.slow  # minutes of stages that other tests run, too
def test_two_machines_train_an_objective_each_and_a_third_finishes_without_training(prepared, tmp_path):
    machines = {objective: clone(prepared, tmp_path / objective) for objective in TRAIN}

    def train(objective: str) -> str:
        output = machines[objective].run(*TRAIN[objective], f"paint@{objective}").stdout
        machines[objective].run(*PUSH[objective])
        return output

    with ThreadPoolExecutor() as pool:  # at the same time: neither has what the other pushes
        outputs = dict(zip(TRAIN, pool.map(train, TRAIN), strict=True))
    assert {objective: ran(output) for objective, output in outputs.items()} == OWN
    assert not (machines[IN_PLACE].path / "data/raw").exists(), "no stage of its own reads the photographs"

    third = clone(prepared, tmp_path / "third")
    third.run("dvc", "pull", "--allow-missing")
    output = third.run("dvc", "repro", "--pull").stdout
    assert ran(output) == SUMMARIES
    restored = set(re.findall(r"Stage '([^']+)' is cached - skipping run", output))
    assert restored >= OWN[IN_PLACE] | OWN[AS_EXPERIMENT]

    locks = {
        IN_PLACE: machines[IN_PLACE].lock(),
        AS_EXPERIMENT: experiment_lock(machines[AS_EXPERIMENT], AS_EXPERIMENT),
    }
    for objective, lock in locks.items():
        stage = f"train_autoencoder@{objective}"
        assert third.lock()[stage]["outs"] == lock[stage]["outs"]
    weights = Path("data/encoders", IN_PLACE, "model.safetensors")
    assert (third.path / weights).read_bytes() == (machines[IN_PLACE].path / weights).read_bytes()
