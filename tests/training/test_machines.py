"""Several machines train one network: here two folders with a launcher each, and what torchrun and Slurm start."""

import os
import re
import signal
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from stages.runtime.errors import StageError
from stages.training.launch import launch
from stages.training.machines import Machines, configured_machines, first_node, launched_rank
from tests.project import Project, environment
from tests.training.test_distributed import project, series  # noqa: F401 (a fixture)
from tests.waiting import LIMIT, descendants, read_line, wait_for_end

CONFIGURATION = {
    "compute_environment": "LOCAL_MACHINE",
    "distributed_type": "MULTI_CPU",
    "downcast_bf16": "no",
    "machine_rank": 0,
    "main_process_ip": "127.0.0.1",
    "main_process_port": 29500,
    "main_training_function": "main",
    "mixed_precision": "no",
    "num_machines": 2,
    "num_processes": 2,
    "rdzv_backend": "static",
    "same_network": True,
    "use_cpu": True,
}


STARTED: list[subprocess.Popen] = []  # of the running test


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def configure(tmp_path):
    """configure(**changes): the path of a configuration of Accelerate."""

    def configure(**changes) -> str:
        path = tmp_path / f"accelerate{len(list(tmp_path.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(CONFIGURATION | changes))
        return str(path)

    return configure


@pytest.fixture
def start(project, tmp_path, configure):  # noqa: F811
    """start(stage, name): on two machines, each with a clone of the project; all ended with the test."""
    clones = [project, project.copy(tmp_path / "second")]

    def start(stage: str, name: str) -> list[subprocess.Popen]:
        port = free_port()
        for rank, clone in enumerate(clones):
            configuration = configure(machine_rank=rank, main_process_port=port)
            variables = {"STAGES_DEVICE": "cpu", "STAGES_ACCELERATE": configuration, "STAGES_CHECKPOINT_SECONDS": "0"}
            run_stage(clone, [sys.executable, "-m", f"stages.{stage}", name], variables)
        return STARTED[-2:]

    start.clones = clones
    yield start
    for process in STARTED:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=LIMIT)
    STARTED.clear()


def run_stage(clone: Project, command: list[str], variables: dict[str, str]) -> subprocess.Popen:
    process = subprocess.Popen(
        command,
        cwd=clone.path,
        env=environment() | variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    STARTED.append(process)
    return process


def change(start, changes: dict) -> None:
    for clone in start.clones:
        clone.change(changes)


def read_until(process: subprocess.Popen, text: str) -> str:
    while text not in (line := read_line(process)):
        assert line, f"it ended without '{text}'"
    return line


def train_alone(project: Project, name: str) -> tuple[dict, torch.Tensor]:  # noqa: F811
    alone = run_stage(project, [sys.executable, "-m", "stages.train_autoencoder", name], {"STAGES_DEVICE": "cpu"})
    out, _ = alone.communicate(timeout=LIMIT)
    assert alone.returncode == 0, out
    return series(name), weights(name)


def weights(name: str) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in load_file(f"data/encoders/{name}/model.safetensors").values()])


def test_two_machines_learn_what_one_process_does_and_the_first_writes(start):
    """With LPIPS and a critic. The second machine's folder has no encoder afterwards."""
    losses, alone = train_alone(start.clones[0], "colorization")
    change(start, {"train": {"processes": 2}})
    first, second = start("train_autoencoder", "colorization")
    outputs = [machine.communicate(timeout=LIMIT)[0] for machine in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), outputs
    assert "epoch 2 of 2" in outputs[0]
    assert "epoch" not in outputs[1]
    assert "machine 2 of 2, 1 of 2 processes" in outputs[1]
    shared = series("colorization")
    assert shared.keys() == losses.keys()
    for name in losses:
        assert shared[name] == pytest.approx(losses[name], rel=1e-4, abs=1e-5), name
    assert (weights("colorization") - alone).norm() < 1e-3 * alone.norm()
    assert not (start.clones[1].path / "data/encoders").exists()


@pytest.mark.parametrize("signum", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_an_interrupted_machine_stops_both_after_a_step_that_the_first_saves(start, signum):
    change(start, {"train": {"processes": 2, "epochs": 10_000}})
    first, second = start("train_control", "reconstruction")
    read_until(first, "epoch 2 ")
    second.send_signal(signum)
    out, other = (machine.communicate(timeout=LIMIT)[0] for machine in (first, second))
    assert (first.returncode, second.returncode) == (1, 128 + signum), (out, other)
    assert "error: the training was interrupted in another process or on another machine" in out
    assert "Traceback" not in out + other
    saved = re.search(r"saved at step (\d+) of", out)
    assert not list((start.clones[1].path / ".dvc/tmp/checkpoints").glob("*.pt"))  # the second has none to resume from
    again, _ = start("train_control", "reconstruction")
    assert f"resuming at step {saved[1]} of" in read_until(again, "resuming")


def test_a_machine_that_is_killed_ends_the_other_with_a_message_and_the_run_resumes(start):
    change(start, {"train": {"processes": 2, "epochs": 10_000}})
    first, second = start("train_control", "reconstruction")
    read_until(first, "epoch 2 ")
    killed = [*descendants(second)]
    for process in killed:
        process.kill()
    second.kill()
    wait_for_end(killed)
    out, _ = first.communicate(timeout=LIMIT)  # it takes seconds: the connections close
    assert first.returncode == 1
    assert "error: another process of the training has ended or does not answer" in out
    assert "Traceback" not in out
    again, _ = start("train_control", "reconstruction")
    assert "resuming at step" in read_until(again, "resuming")


def test_a_machine_with_other_data_is_refused_on_all(start):
    change(start, {"train": {"processes": 2}})
    manifest = start.clones[1].path / "data/split/manifest.csv"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join([lines[0], *reversed(lines[1:])]))
    machines = start("train_control", "reconstruction")
    for machine in machines:
        out, _ = machine.communicate(timeout=LIMIT)
        assert machine.returncode == 1
        assert "code, data, parameters or packages of process 1 differ from those of process 0" in out
        assert "Traceback" not in out


def test_processes_that_torchrun_started_train_together(start):
    losses, _ = train_alone(start.clones[0], "color_classification")
    change(start, {"train": {"processes": 2}})
    command = ["torchrun", "--standalone", "--nproc-per-node", "2", "-m", "stages.train_autoencoder"]
    together = run_stage(start.clones[0], [*command, "color_classification"], {"STAGES_DEVICE": "cpu"})
    out, _ = together.communicate(timeout=LIMIT)
    assert together.returncode == 0, out
    assert out.count("epoch 2 of 2") == 1
    shared = series("color_classification")
    for name in losses:
        assert shared[name] == pytest.approx(losses[name], rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("signalled", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_tasks_that_slurm_started_train_together_and_are_preempted_together(start, signalled):
    """The variables of `srun`, which this machine does not have. Slurm signals every task; one is enough."""
    change(start, {"train": {"processes": 2, "epochs": 10_000}})
    shared = {
        "STAGES_DEVICE": "cpu",
        "SLURM_JOB_ID": str(free_port()),
        "SLURM_STEP_ID": "0",
        "SLURM_JOB_NODELIST": "localhost",
        "SLURM_STEP_NUM_TASKS": "2",
        "MASTER_PORT": str(free_port()),
    }
    command = [sys.executable, "-m", "stages.train_control", "reconstruction"]
    tasks = [
        run_stage(start.clones[0], command, shared | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)})
        for rank in range(2)
    ]
    read_until(tasks[0], "epoch 2 ")
    tasks[signalled].send_signal(signal.SIGTERM)
    outputs = [task.communicate(timeout=LIMIT)[0] for task in tasks]
    assert [task.returncode for task in tasks] == [143 if rank == signalled else 1 for rank in range(2)], outputs
    assert "saved at step" in outputs[0]
    assert len(list(Path(".dvc/tmp/checkpoints").glob("*.pt"))) == 1


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("node1", "node1"), ("a,b", "a"), ("node[03-05,07],login", "node03"), ("gpu[7,9]", "gpu7"), ("r[1-2]n", "r1n")],
)
def test_the_first_node_of_slurms_list(nodes, first):
    assert first_node(nodes) == first


def test_slurms_tasks_meet_at_the_first_node_by_a_port_of_the_job(monkeypatch):
    for name, value in {
        "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_JOB_ID": "1234567",
        "SLURM_STEP_ID": "2",
        "SLURM_JOB_NODELIST": "node[03-05]",
        "SLURM_PROCID": "5",
        "SLURM_LOCALID": "1",
        **dict.fromkeys(("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"), ""),
    }.items():
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    assert launched_rank(8) == 5
    found = {name: os.environ[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")}
    assert found == dict(RANK="5", WORLD_SIZE="8", LOCAL_RANK="1", MASTER_ADDR="node03", MASTER_PORT="19569")
    with pytest.raises(StageError, match=r"train\.processes must be 8, the number that the launcher started.*got 2"):
        launched_rank(2)


def test_tasks_of_slurm_that_train_alone_or_as_a_configuration_says_are_left_alone(monkeypatch, configure):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    assert launched_rank(1) is None
    monkeypatch.setenv("STAGES_ACCELERATE", configure())
    assert launched_rank(2) is None


@pytest.mark.parametrize("control", ["random", "supervised", "vicreg", "kmeans_patches"])
def test_what_cannot_be_shared_is_trained_by_the_first_alone(project, monkeypatch, capsys, configure, control):  # noqa: F811
    monkeypatch.setattr(subprocess, "Popen", None)
    shardable = import_module(f"stages.controls.{control}").control().is_shardable
    for rank in range(2):
        monkeypatch.setenv("STAGES_ACCELERATE", configure(machine_rank=rank))
        assert launch("train_control", control, 2, shardable=shardable) == (rank > 0)
    assert "nothing to do here" in capsys.readouterr().out


def test_a_configuration_is_read_as_accelerate_wrote_it(monkeypatch, configure):
    monkeypatch.setenv("STAGES_ACCELERATE", configure(machine_rank=1, num_processes=8, gpu_ids="0,1,2,3"))
    machines = configured_machines(8)
    assert machines == Machines(8, 2, 1, "127.0.0.1", 29500, "static", "0,1,2,3")
    assert machines.local_processes == 4
    monkeypatch.setenv("STAGES_ACCELERATE", configure(gpu_ids=0))
    assert configured_machines(2).gpus == "0"
    monkeypatch.delenv("STAGES_ACCELERATE")
    assert configured_machines(3) == Machines(3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"distributed_type": "DEEPSPEED"},
            r"distributed_type must be one of NO, MULTI_CPU, MULTI_GPU; got 'DEEPSPEED'",
        ),
        ({"machine_rank": 2}, r"machine_rank must be less than num_machines, 2; got 2"),
        ({"num_processes": 3}, r"must be a multiple of num_machines, 2; got 3"),
        ({"main_process_ip": None}, r"several machines need main_process_ip and main_process_port"),
        ({"num_processes": 4}, r"train\.processes must be 4, num_processes of .*\.yaml; got 2: set it"),
        ({"num_machines": "two"}, r"is no configuration of Accelerate"),
        ({"unheard_of": 1}, r"is no configuration of Accelerate"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_by_name(monkeypatch, configure, changes, message):
    monkeypatch.setenv("STAGES_ACCELERATE", configure(**changes))
    with pytest.raises(StageError, match=message):
        configured_machines(2)


def test_a_configuration_that_is_missing_or_no_yaml_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("STAGES_ACCELERATE", str(tmp_path / "none.yaml"))
    with pytest.raises(StageError, match=r"STAGES_ACCELERATE must name a file.*none\.yaml"):
        configured_machines(2)
    for text in ("a: [", "word"):
        (tmp_path / "none.yaml").write_text(text)
        with pytest.raises(StageError, match="is no configuration of Accelerate"):
            configured_machines(2)
