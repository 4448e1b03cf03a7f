"""Which processes train together when they are not the stage's own: on several machines, or started by a scheduler.

`STAGES_ACCELERATE` names a configuration as `accelerate config` writes it; each machine has its own, which differs in
`machine_rank`. The stage then starts this machine's processes. A process that torchrun or Slurm's srun has started
already finds its place in the variables that they set, and starts nothing.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from stages.compute.device import local_rank
from stages.runtime.errors import StageError

ACCELERATE = "STAGES_ACCELERATE"
KINDS = ("NO", "MULTI_CPU", "MULTI_GPU")
SLURM_PORTS = 15000, 10000  # the first, and how many: one follows from the job's number, so that all tasks choose alike


@dataclass(frozen=True)
class Machines:
    """The machines that train one network, and which of them this is.

    Attributes:
        processes: on all machines together; each has as many.
        count: of the machines.
        rank: this one's, from 0; the first machine writes the results.
        address, port: of the first machine, where the others meet it.
        rendezvous: backend by which torch's elastic launchers find each other.
        gpus: which of this machine's are used: "all", or numbers as in CUDA_VISIBLE_DEVICES.
    """

    processes: int
    count: int = 1
    rank: int = 0
    address: str | None = None
    port: int = 0  # a free one
    rendezvous: str = "static"
    gpus: str = "all"

    @property
    def local_processes(self) -> int:
        """Processes of this machine."""
        return self.processes // self.count


def configured_machines(processes: int) -> Machines:
    """Those of the file that STAGES_ACCELERATE names; without it this machine alone.

    Args:
        processes: `train.processes`.

    Raises:
        StageError: for a file that is missing or that Accelerate cannot read, a strategy that is not data-parallel
            training, another number of processes, or machines without an address.
    """
    if not (name := os.environ.get(ACCELERATE)):
        return Machines(processes)
    import yaml
    from accelerate.commands.config.config_args import load_config_from_file

    if not Path(name).is_file():
        raise StageError(f"{ACCELERATE} must name a file that `accelerate config` wrote; there is no '{name}'")
    try:
        config = load_config_from_file(name)
        found = dict(
            processes=int(config.num_processes),
            count=int(config.num_machines),
            rank=int(config.machine_rank),
            address=config.main_process_ip,
            port=int(config.main_process_port or 0),
            rendezvous=config.rdzv_backend or "static",
            gpus="all" if config.gpu_ids is None else str(config.gpu_ids),
        )
        kind = str(getattr(config.distributed_type, "value", config.distributed_type))
    except (ValueError, TypeError, AttributeError, KeyError, OSError, yaml.YAMLError) as error:
        raise StageError(f"{name}, named by {ACCELERATE}, is no configuration of Accelerate: {error}") from None
    machines = Machines(**found)
    if kind not in KINDS:
        raise StageError(f"{name}: distributed_type must be one of {', '.join(KINDS)}; got '{kind}'")
    if not 0 <= machines.rank < machines.count:
        raise StageError(f"{name}: machine_rank must be less than num_machines, {machines.count}; got {machines.rank}")
    if machines.processes % machines.count:
        raise StageError(
            f"{name}: num_processes counts those of all machines and must be a multiple of num_machines, "
            f"{machines.count}; got {machines.processes}"
        )
    if machines.count > 1 and not (machines.address and machines.port):
        raise StageError(f"{name}: several machines need main_process_ip and main_process_port, of the first of them")
    _check_processes(processes, machines.processes, f"num_processes of {name}")
    return machines


def launched_rank(processes: int) -> int | None:
    """This process's rank among all that torchrun or srun has started together; None where they started one or none.

    For Slurm it sets the variables that torchrun sets: the main address is the first node of the job, or MASTER_ADDR.
    Tasks of srun are left alone, each with a training of its own, where STAGES_ACCELERATE says which machines train
    together, and where `train.processes` is 1.

    Args:
        processes: `train.processes`.

    Raises:
        StageError: where they started another number of processes.
    """
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))
    if tasks > 1 and processes > 1 and ACCELERATE not in os.environ and "RANK" not in os.environ:
        _set_from_slurm()
    if local_rank() is None:
        return None
    _check_processes(processes, int(os.environ["WORLD_SIZE"]), "the number that the launcher started (WORLD_SIZE)")
    return int(os.environ["RANK"])


def _set_from_slurm() -> None:
    first, ports = SLURM_PORTS
    job = int(os.environ.get("SLURM_JOB_ID", 0))
    step = int(os.environ.get("SLURM_STEP_ID", 0))
    nodes = os.environ.get("SLURM_STEP_NODELIST") or os.environ["SLURM_JOB_NODELIST"]
    for name, value in {
        "RANK": os.environ["SLURM_PROCID"],
        "WORLD_SIZE": os.environ["SLURM_STEP_NUM_TASKS"],
        # A task that sees one GPU only has number 0, whatever its number on the node.
        "LOCAL_RANK": "0" if torch.cuda.device_count() == 1 else os.environ["SLURM_LOCALID"],
        "MASTER_ADDR": first_node(nodes),
        "MASTER_PORT": str(first + (job + step) % ports),
    }.items():
        os.environ.setdefault(name, value)


def first_node(nodes: str) -> str:
    """The first host of a list as Slurm abbreviates it: `node[03-05,07],login` begins with `node03`."""
    first = re.match(r"[^,\[]*(\[[^\]]*\])?[^,]*", nodes)[0]
    return re.sub(r"\[([^-,\]]+)[^\]]*\]", r"\1", first)


def _check_processes(wanted: int, found: int, what: str) -> None:
    if wanted != found:
        raise StageError(f"train.processes must be {found}, {what}; got {wanted}: set it by -S train.processes={found}")
