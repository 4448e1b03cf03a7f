"""Waiting for conditions that other processes bring about, on a machine of any speed."""

import subprocess
import threading
import time
from collections.abc import Callable

import psutil

LIMIT = 600.0  # seconds after which a test takes a process for hung


def wait_until(condition: Callable[[], bool], *processes: subprocess.Popen, limit: float = LIMIT) -> None:
    """Wait for a condition that processes are to bring about; fail when one of them ends before."""
    end = time.monotonic() + limit
    while not condition():
        for process in processes:
            assert process.poll() is None or condition(), "the process ended before what was waited for"
        assert time.monotonic() < end, f"not within {limit:g} s"
        time.sleep(0.01)


def read_line(process: subprocess.Popen) -> str:
    """The next line of a process's output; fail when none comes."""
    lines = []
    reader = threading.Thread(target=lambda: lines.append(process.stdout.readline()), daemon=True)
    reader.start()
    reader.join(LIMIT)
    assert lines, f"no line within {LIMIT:g} s"
    return lines[0]


def descendants(process: subprocess.Popen) -> list[psutil.Process]:
    """The child processes of a process, recursively."""
    return psutil.Process(process.pid).children(recursive=True)


def wait_for_end(processes: list[psutil.Process]) -> None:
    """Wait until none of them runs."""
    _, alive = psutil.wait_procs(processes, timeout=LIMIT)
    assert not alive
