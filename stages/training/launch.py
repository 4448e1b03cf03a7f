"""Data-parallel training: run a stage in several processes, by `accelerate launch`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from stages.compute.device import local_rank
from stages.runtime.entry_point import ERROR_FILE
from stages.runtime.errors import StageError

END_SECONDS = 40  # for the launcher to end its processes, to which it gives 30
LOG_LINES = 30


def launch(stage: str, argument: str, processes: int) -> bool:
    """Run `python -m stages.<stage> <argument>` in several processes and wait for them.

    Each takes a GPU, or all take the CPU. They end when this process is interrupted, and when it disappears.

    Returns:
        False, with nothing launched, for one process, and within the launched processes.

    Raises:
        StageError: when there are fewer GPUs than processes, STAGES_DEVICE names one GPU, or a process fails.
    """
    if processes == 1 or local_rank() is not None:
        return False
    _check_devices(processes)
    # `--multi_gpu` means torch's elastic launcher, which serves processes of a CPU as well; port 0: a free one.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"]
    command += ["--num_processes", str(processes), "--main_process_port", "0", "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--module", f"stages.{stage}", argument]
    with tempfile.TemporaryDirectory() as folder:
        log, error = Path(folder, "log"), Path(folder, "error")
        # Accelerate takes defaults from a file of the user's, in HF_HOME: an empty folder has none.
        environment = {ERROR_FILE: str(error), "HF_HOME": folder}
        threads = max(1, len(os.sched_getaffinity(0)) // processes)
        with log.open("w") as file:
            # In a new session: Ctrl-C reaches this process alone, which then ends the launcher in order.
            launcher = subprocess.Popen(
                command,
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
            raise StageError(f"a process of the training failed; the end of their output:\n{tail}")
    return True


def _check_devices(processes: int) -> None:
    name = os.environ.get("STAGES_DEVICE", "auto")
    if name not in ("auto", "cpu", "cuda"):
        raise StageError(
            f"with train.processes above 1 STAGES_DEVICE must be auto, cpu or cuda, as each process uses one "
            f"GPU; got '{name}'"
        )
    gpus = torch.cuda.device_count()
    if gpus < processes and (name == "cuda" or (name == "auto" and gpus)):
        raise StageError(
            f"train.processes must be at most {gpus}, the number of GPUs here, or STAGES_DEVICE=cpu; got {processes}"
        )


def _end(launcher: subprocess.Popen) -> None:
    """Terminate the launcher, which ends its processes, if it is still running."""
    if launcher.poll() is None:
        launcher.terminate()
        try:
            launcher.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            launcher.kill()
