"""SIGINT and SIGTERM as an exception: the first unwinds the stack, a second ends the process at once."""

import contextlib
import os
import signal
import sys
import threading
import time

import psutil

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PARENT_CHECK_SECONDS = 1.0
# The signals received so far. DVC may end of the same SIGTERM as its stage: its disappearance is then no second signal.
received: list[int] = []
_deferring: list[bool] = []  # empty where no block defers signals


class Interrupted(BaseException):
    """SIGINT or SIGTERM, raised in the main thread so that `finally` blocks clean up."""

    def __init__(self, signum: int):
        self.signum = signum
        super().__init__(signal.Signals(signum).name)


def raise_on_signals() -> None:
    """Turn the first SIGINT or SIGTERM into `Interrupted`; the second one has its default effect."""
    for signum in SIGNALS:
        signal.signal(signum, raise_interrupted)


def raise_interrupted(signum: int, _frame) -> None:
    """The handler: raise `Interrupted`, and restore the default effect of both signals."""
    received.append(signum)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise Interrupted(signum)


@contextlib.contextmanager
def defer_interrupts(same_within: float = 0.0):
    """Deliver a signal only after the block, which must not be cut in half. A second one ends the process at once.

    Within another such block, and outside the main thread, which alone receives signals, this does nothing.

    Args:
        same_within: seconds in which a second signal is taken for the first once more: torchrun passes on a Ctrl-C that
            the terminal has sent to its processes, too.
    """
    if _deferring or threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    first = 0.0

    def hold(signum, _frame):
        nonlocal first
        if not pending:
            first = time.monotonic()
        elif time.monotonic() - first < same_within:
            return
        else:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        pending.append(signum)
        received.append(signum)

    _deferring.append(True)
    handlers = {signum: signal.signal(signum, hold) for signum in SIGNALS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        _deferring.clear()
    if pending:  # not in `finally`: an error raised by the block tells more than the interrupt does
        os.kill(os.getpid(), pending[0])


def terminate_with_parents() -> None:
    """From now on, end as by SIGTERM when the parent or its parent is gone.

    DVC that is killed by SIGTERM leaves its stage running. It starts a shell, which some shells leave standing between
    it and the stage: hence the two generations.
    """
    threading.Thread(target=_watch, args=(_parents(),), daemon=True).start()


def _parents() -> list[int]:
    return [process.pid for process in psutil.Process().parents()[:2]]


def _watch(parents: list[int]) -> None:
    event = threading.Event()
    while _parents() == parents:
        event.wait(PARENT_CHECK_SECONDS)
    if received:
        return
    print("the process that started this stage is gone: ending", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)
