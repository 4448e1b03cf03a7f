"""Data-parallel training: run a stage in several processes, by `accelerate launch`, on one machine or on several."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from stages.compute.device import local_rank
from stages.runtime.entry_point import ERROR_FILE
from stages.runtime.errors import StageError
from stages.training.machines import Machines, configured_machines, launched_rank

END_SECONDS = 40  # for the launcher to end its processes, to which it gives 30
LOG_LINES = 30


def launch(stage: str, argument: str, processes: int, *, shardable: bool = True) -> bool:
    """Run `python -m stages.<stage> <argument>` in several processes and wait for them.

    Each takes a GPU, or all take the CPU. They end when this process is interrupted, and when it disappears. With
    STAGES_ACCELERATE this machine's are started, and those of the other machines by the same command there. A process
    that torchrun or srun has started takes part itself.

    Args:
        stage, argument: the command.
        processes: `train.processes`, of all machines.
        shardable: False: a training that only the first process of the first machine runs.

    Returns:
        Whether there is nothing left to do: the processes have trained, or another one does it. False for one process,
        and within the launched processes.

    Raises:
        StageError: when there are fewer GPUs than processes, STAGES_DEVICE names one GPU, or a process fails; see also
            `stages.training.machines`.
    """
    if ERROR_FILE in os.environ and local_rank() is not None:
        return False
    rank = launched_rank(processes)
    if rank is not None:
        return not shardable and rank > 0
    machines = configured_machines(processes)
    if not shardable:
        if machines.rank:
            print(f"{argument} is trained by one process, on the first machine: nothing to do here")
        return machines.rank > 0
    if machines.processes == 1:
        return False
    _check_devices(machines)
    if machines.count > 1:
        print(
            f"machine {machines.rank + 1} of {machines.count}, {machines.local_processes} of {machines.processes} "
            f"processes: run the same command on all; the first, {machines.address}, shows progress and writes",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        log, error = Path(folder, "log"), Path(folder, "error")
        # Accelerate takes defaults from a file of the user's, in HF_HOME: an empty folder has none.
        environment = {ERROR_FILE: str(error), "HF_HOME": folder}
        threads = max(1, len(os.sched_getaffinity(0)) // machines.local_processes)
        with log.open("w") as file:
            # In a new session: Ctrl-C reaches this process alone, which then ends the launcher in order.
            launcher = subprocess.Popen(
                _command(stage, argument, machines),
                stderr=file,
                env={"OMP_NUM_THREADS": str(threads)} | os.environ | environment,
                start_new_session=True,
            )
            try:
                code = launcher.wait()
            finally:
                _end(launcher)
        if code and error.exists():
            raise StageError(error.read_text(encoding="utf-8"))
        if code:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])
            met = f", or did not meet those of the other machines at {machines.address}:{machines.port}"
            raise StageError(
                f"a process of the training failed{met if machines.count > 1 else ''}; the end of their output:\n{tail}"
            )
    return True


def _command(stage: str, argument: str, machines: Machines) -> list[str]:
    # `--multi_gpu` means torch's elastic launcher, which serves processes of a CPU as well; port 0: a free one. The
    # configuration is passed by flags: read by Accelerate itself, one for CPUs would start mpirun.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += ["--num_machines", str(machines.count), "--machine_rank", str(machines.rank)]
    command += ["--num_processes", str(machines.processes), "--main_process_port", str(machines.port)]
    command += ["--gpu_ids", machines.gpus, "--mixed_precision", "no", "--dynamo_backend", "no"]
    if machines.count > 1:
        command += ["--main_process_ip", machines.address, "--rdzv_backend", machines.rendezvous]
    return [*command, "--module", f"stages.{stage}", argument]


def _check_devices(machines: Machines) -> None:
    name, processes = os.environ.get("STAGES_DEVICE", "auto"), machines.local_processes
    if name not in ("auto", "cpu", "cuda"):
        raise StageError(
            f"with train.processes above 1 STAGES_DEVICE must be auto, cpu or cuda, as each process uses one "
            f"GPU; got '{name}'"
        )
    gpus = torch.cuda.device_count()
    if machines.gpus != "all":
        gpus = min(gpus, len(machines.gpus.split(",")))
    if gpus < processes and (name == "cuda" or (name == "auto" and gpus)):
        raise StageError(
            f"train.processes must be at most {gpus} a machine, the number of GPUs here (of gpu_ids, where given), or "
            f"STAGES_DEVICE=cpu; got {processes}"
        )


def _end(launcher: subprocess.Popen) -> None:
    """Terminate the launcher, which ends its processes, if it is still running."""
    if launcher.poll() is None:
        launcher.terminate()
        try:
            launcher.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            launcher.kill()
