"""Run a stage as a program: its errors, its exit codes, its end by a signal."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from stages.runtime.errors import StageError
from stages.runtime.files import NO_SPACE, free_bytes
from stages.runtime.interrupts import Interrupted, raise_on_signals, terminate_with_parents

ERROR_FILE = "STAGES_ERROR_FILE"  # where one of several processes leaves its error for the stage that started them


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main` as a program and exit.

    0: done. 1: a `StageError`, printed without a traceback. 128 + n: ended by signal n (130 for Ctrl-C);
    a second signal ends the process at once. Run by DVC, a stage whose DVC has gone ends as by SIGTERM: DVC
    that is killed by SIGTERM leaves its child running. So does one of several processes whose stage has gone.
    """
    raise_on_signals()
    if "DVC_STAGE" in os.environ or ERROR_FILE in os.environ:
        terminate_with_parents()
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
