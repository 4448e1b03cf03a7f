"""How a stage starts and how it ends: errors for the user, signals, and a parent that disappears."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from stages.runtime.errors import StageError
from stages.runtime.files import NO_SPACE, free_bytes

PARENT_CHECK_SECONDS = 1.0
_asked: list[int] = []  # signals that have come: what started the stage may end of the same one, and is then no second
ERROR_FILE = "STAGES_ERROR_FILE"  # where one of several processes leaves its error for the stage that started them


class Interrupted(BaseException):
    """The stage was asked to end; raised in the main thread, so that `finally` blocks clean up."""

    def __init__(self, signum: int):
        self.signum = signum
        super().__init__(signal.Signals(signum).name)


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main` as a program and exit.

    0: done. 1: a `StageError`, printed without a traceback. 128 + n: ended by signal n (130 for Ctrl-C);
    a second signal ends the process at once. Run by DVC, a stage whose DVC has gone ends as by SIGTERM: DVC
    that is killed by SIGTERM leaves its child running. So does one of several processes whose stage has gone.
    """
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _raise_interrupted)
    if "DVC_STAGE" in os.environ or ERROR_FILE in os.environ:
        threading.Thread(target=_watch_parents, args=(_parents(),), daemon=True).start()
    try:
        stage()
    except StageError as error:
        _fail(str(error))
    except Interrupted as interrupted:
        if ERROR_FILE not in os.environ:
            print(f"\ninterrupted by {interrupted}", file=sys.stderr)
        sys.exit(128 + interrupted.signum)
    except OSError as error:
        # A full disk, a folder without permission: the path and the reason are all that helps.
        if error.filename is None and error.strerror is None:
            raise
        place = f"{error.filename}: " if error.filename else ""
        free = ""
        if error.errno in NO_SPACE and error.filename:
            free = f" ({free_bytes(error.filename):,} bytes are free there)"
        _fail(f"{place}{error.strerror}{free}. Mend that, then run `dvc repro` again.")


def _fail(message: str) -> None:
    """Exit with 1 and the message: on the terminal, or in the file of the stage that waits for this process."""
    if ERROR_FILE in os.environ:
        Path(os.environ[ERROR_FILE]).write_text(message, encoding="utf-8")
        sys.exit(1)
    sys.exit(f"error: {message}")


@contextlib.contextmanager
def postponed():
    """Hold an interruption back until the block is done: for what must not be cut in half.

    A second one ends the process at once.
    """
    pending: list[int] = []

    def hold(signum, _frame):
        if pending:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        pending.append(signum)
        _asked.append(signum)

    handlers = {
        signum: signal.signal(signum, hold)
        for signum in (signal.SIGINT, signal.SIGTERM)
        if threading.current_thread() is threading.main_thread()
    }
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
    if pending:  # only now: an error of the block says more than that it was interrupted
        os.kill(os.getpid(), pending[0])


def _raise_interrupted(signum: int, _frame) -> None:
    _asked.append(signum)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    raise Interrupted(signum)


def _parents() -> list[int]:
    """The parent and its parent: DVC starts a shell, which some shells leave standing between it and the stage."""
    return [process.pid for process in psutil.Process().parents()[:2]]


def _watch_parents(parents: list[int]) -> None:
    event = threading.Event()
    while _parents() == parents:
        event.wait(PARENT_CHECK_SECONDS)
    if _asked:
        return
    print("what started this stage is gone: ending", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)
