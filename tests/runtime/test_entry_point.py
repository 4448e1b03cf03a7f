import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from stages.runtime.interrupts import PARENT_CHECK_SECONDS

IMPORTS = """
import os, signal, sys, time
from stages.runtime.entry_point import run
from stages.runtime.errors import StageError
from stages.runtime.interrupts import Interrupted, defer_interrupts, received
"""


def script(body: str) -> str:
    return IMPORTS + textwrap.dedent(body)


def start(body, **options):
    return subprocess.Popen(
        [sys.executable, "-c", script(body)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def interrupted(body, signum):
    """A program that has been sent a signal once it has said that it has started."""
    process = start(body)
    assert process.stdout.readline() == "started\n"
    process.send_signal(signum)
    return process


SLEEP = """
def main():
    try:
        print("started", flush=True)
        time.sleep(30)
    finally:
        print("cleaned up", flush=True)
run(main)
"""


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cleans_up_and_sets_the_exit_code(signum, code):
    process = interrupted(SLEEP, signum)
    out, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert out == "cleaned up\n"
    assert "interrupted by" in err
    assert "Traceback" not in err


def test_a_second_signal_ends_at_once():
    process = interrupted(
        """
    def main():
        try:
            print("started", flush=True)
            time.sleep(30)
        finally:
            print("slow", flush=True)
            time.sleep(30)
    run(main)
    """,
        signal.SIGINT,
    )
    assert process.stdout.readline() == "slow\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == -signal.SIGINT


def test_an_interruption_waits_for_the_end_of_a_deferred_block():
    process = interrupted(
        """
    def main():
        with defer_interrupts():
            print("started", flush=True)
            time.sleep(1)
            print("written", flush=True)
        time.sleep(30)
    run(main)
    """,
        signal.SIGTERM,
    )
    out, _ = process.communicate(timeout=10)
    assert out == "written\n"
    assert process.returncode == 143


def test_a_second_signal_within_a_deferred_block_ends_at_once():
    process = interrupted(
        """
    def main():
        with defer_interrupts():
            print("started", flush=True)
            for _ in range(600):
                time.sleep(0.1)
                if received:
                    print("held", flush=True)
    run(main)
    """,
        signal.SIGINT,
    )
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == -signal.SIGINT


def test_the_error_of_a_deferred_block_is_told_whatever_else_came():
    process = interrupted(
        """
    def main():
        with defer_interrupts():
            print("started", flush=True)
            time.sleep(1)
            raise StageError("the disk is full")
    run(main)
    """,
        signal.SIGINT,
    )
    _, err = process.communicate(timeout=10)
    assert "error: the disk is full" in err
    assert process.returncode == 1


def test_the_end_of_what_started_the_stage_is_no_second_signal():
    """A SIGTERM to the whole group: DVC is gone within a second, the stage's step takes longer."""
    stage = script("""
    def main():
        try:
            with defer_interrupts():
                print("started", flush=True)
                time.sleep(5)
        except Interrupted:
            print("saved", flush=True)
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
    assert shell.stdout.readline() == "started\n"
    os.killpg(shell.pid, signal.SIGTERM)
    shell.wait(timeout=5)
    assert shell.stdout.readline() == "saved\n"


def test_an_error_for_the_user_has_no_traceback():
    process = start("""
    from stages.runtime.errors import StageError
    def main():
        raise StageError("loss.pixel must be one of ...")
    run(main)
    """)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert err == "error: loss.pixel must be one of ...\n"


@pytest.mark.parametrize("shell", [[], ["sh", "-c"]], ids=["child", "child of a shell"])
def test_a_stage_whose_dvc_is_gone_ends(shell):
    child_program = (
        "import time\nfrom stages.runtime.entry_point import run\n"
        "import os\ndef main():\n    print(os.getpid(), flush=True)\n    time.sleep(60)\nrun(main)"
    )
    parent = start(f"""
    import shlex, subprocess
    command = [sys.executable, "-c", {child_program!r}]
    if {shell!r}:
        # `; true` keeps the shell, as dash does by itself.
        command = [*{shell!r}, shlex.join(command) + "; true"]
    subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {{"DVC_STAGE": "x"}})
    time.sleep(60)
    """)
    child = int(parent.stdout.readline())
    parent.kill()
    end = time.monotonic() + PARENT_CHECK_SECONDS + 5
    while time.monotonic() < end and is_running(child):
        time.sleep(0.1)
    assert not is_running(child)


def is_running(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
