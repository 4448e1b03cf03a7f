"""The first signal unwinds the stack, a second ends the process at once, and a stage does not outlive its DVC."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from tests.waiting import LIMIT, read_line, wait_until

IMPORTS = """
import os, signal, sys, threading, time
from stages.runtime.entry_point import run
from stages.runtime.errors import StageError
from stages.runtime.interrupts import Interrupted, defer_interrupts, received

def say(word):
    print(word, flush=True)

def wait_until(condition):
    while not condition():
        time.sleep(0.01)

def wait_forever():
    wait_until(lambda: False)
"""


def script(body: str) -> str:
    return IMPORTS + textwrap.dedent(body)


@pytest.fixture
def start():
    """start(body): run a program that begins with IMPORTS; it is killed after the test."""
    processes = []

    def start(body: str) -> subprocess.Popen:
        command = [sys.executable, "-c", script(body)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def interrupt(start):
    """interrupt(body, signum): a program that has been sent a signal once it has said that it has started."""

    def interrupt(body: str, signum: int) -> subprocess.Popen:
        process = start(body)
        assert read_line(process) == "started\n"
        process.send_signal(signum)
        return process

    return interrupt


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cleans_up_and_sets_the_exit_code(interrupt, signum, code):
    process = interrupt(
        """
    def main():
        try:
            say("started")
            wait_forever()
        finally:
            say("cleaned up")
    run(main)
    """,
        signum,
    )
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == code
    assert out == "cleaned up\n"
    assert "interrupted by" in err
    assert "Traceback" not in err


def test_a_second_signal_ends_at_once(interrupt):
    process = interrupt(
        """
    def main():
        try:
            say("started")
            wait_forever()
        finally:
            say("cleaning up")
            wait_forever()
    run(main)
    """,
        signal.SIGINT,
    )
    assert read_line(process) == "cleaning up\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=LIMIT) == -signal.SIGINT


def test_an_interrupt_waits_for_the_end_of_a_deferred_block(interrupt):
    process = interrupt(
        """
    def main():
        with defer_interrupts():
            say("started")
            wait_until(lambda: received)
            say("written")
        wait_forever()
    run(main)
    """,
        signal.SIGTERM,
    )
    out, _ = process.communicate(timeout=LIMIT)
    assert out == "written\n"
    assert process.returncode == 143


def test_a_second_signal_within_a_deferred_block_ends_at_once(interrupt):
    process = interrupt(
        """
    def main():
        with defer_interrupts():
            say("started")
            wait_until(lambda: received)
            say("deferred")
            wait_forever()
    run(main)
    """,
        signal.SIGINT,
    )
    assert read_line(process) == "deferred\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=LIMIT) == -signal.SIGINT


def test_a_signal_that_a_launcher_passes_on_is_no_second_one(interrupt):
    """Within an hour, so that it is none on a machine of any speed; in a block within the block, too."""
    process = interrupt(
        """
    def main():
        with defer_interrupts(3600):
            with defer_interrupts():
                say("started")
                wait_until(lambda: received)
                say("deferred")
                import time
                time.sleep(0.5)  # longer than a signal takes
            say("the end")
        wait_forever()
    run(main)
    """,
        signal.SIGINT,
    )
    assert read_line(process) == "deferred\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=LIMIT)
    assert out == "the end\n"
    assert process.returncode == 130


def test_the_error_of_a_deferred_block_is_told_whatever_else_came(interrupt):
    process = interrupt(
        """
    def main():
        with defer_interrupts():
            say("started")
            wait_until(lambda: received)
            raise StageError("the disk is full")
    run(main)
    """,
        signal.SIGINT,
    )
    _, err = process.communicate(timeout=LIMIT)
    assert "error: the disk is full" in err
    assert process.returncode == 1


def test_the_end_of_what_started_the_stage_is_no_second_signal():
    """A SIGTERM to the whole group: DVC is gone, and the stage notices it, before the stage's step has ended."""
    stage = script("""
    def main():
        try:
            with defer_interrupts():
                say("started")
                wait_until(lambda: threading.active_count() == 1)  # the watch for the parent has ended
        except Interrupted:
            say("saved")
            raise
    run(main)
    """)
    shell = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])", stage],
        env=os.environ | {"DVC_STAGE": "x"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert read_line(shell) == "started\n"
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(timeout=LIMIT)
        assert read_line(shell) == "saved\n"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)


@pytest.mark.parametrize("shell", [[], ["sh", "-c"]], ids=["child", "child of a shell"])
def test_a_stage_whose_dvc_is_gone_ends(start, shell):
    child_program = script("""
    def main():
        say(os.getpid())
        wait_forever()
    run(main)
    """)
    parent = start(f"""
    import shlex, subprocess
    command = [sys.executable, "-c", {child_program!r}]
    if {shell!r}:
        # `; true` keeps the shell, as dash does by itself.
        command = [*{shell!r}, shlex.join(command) + "; true"]
    subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {{"DVC_STAGE": "x"}})
    wait_forever()
    """)
    child = psutil.Process(int(read_line(parent)))
    parent.kill()
    try:
        wait_until(lambda: not is_running(child))
    finally:
        if is_running(child):
            child.kill()


def is_running(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
