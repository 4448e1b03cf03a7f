"""Run a stage as a program: error messages and exit codes."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from stages.runtime.allocator import keep_freed_memory
from stages.runtime.errors import StageError
from stages.runtime.files import NO_SPACE, free_bytes
from stages.runtime.interrupts import Interrupted, raise_on_signals, terminate_with_parents

# The environment variable that names the file to which one of several training processes writes its error.
ERROR_FILE = "STAGES_ERROR_FILE"


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main` and exit.

    Exit codes: 0, success; 1, a `StageError` or an error of the system, printed without a traceback; 128 + n,
    interrupted by signal n (130 for Ctrl-C). A second signal ends the process at once. A stage that DVC has started
    ends when DVC is gone, and a training process when its stage is gone: see `terminate_with_parents`.
    """
    raise_on_signals()
    keep_freed_memory()
    # A terminal without `±`: the escape says which character it was, where `?` would look like a doubt. stderr has it.
    sys.stdout.reconfigure(errors="backslashreplace")
    if "DVC_STAGE" in os.environ or ERROR_FILE in os.environ:
        terminate_with_parents()
    try:
        if "DVC_STAGE" in os.environ:
            _refuse_linked_data()
        stage()
    except StageError as error:
        _fail(str(error))
    except Interrupted as interrupted:
        if ERROR_FILE not in os.environ:
            print(f"\ninterrupted by {interrupted}", file=sys.stderr)
        sys.exit(128 + interrupted.signum)
    except OSError as error:
        # A full disk, a folder without permission: the user needs the path and the reason, not a traceback.
        if error.filename is None and error.strerror is None:
            raise
        path = f"{error.filename}: " if error.filename else ""
        free = ""
        if error.errno in NO_SPACE and error.filename:
            free = f" ({free_bytes(error.filename):,} bytes are free there)"
        _fail(f"{path}{error.strerror}{free}. Correct that, then run `dvc repro` again.")


def _refuse_linked_data() -> None:
    """DVC runs a stage whose outputs lie behind a symbolic link, and then fails to record them in a git repository."""
    folder = Path.cwd()
    if Path("data").is_symlink() and any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        raise StageError(
            f"data is a symbolic link to {os.readlink('data')}, and DVC records no outputs behind one. Remove the "
            "link, and put DVC's cache on the other disk: `dvc cache dir --local FOLDER`, `dvc config --local "
            "cache.type symlink` (docs/troubleshooting.md)"
        )


def _fail(message: str) -> None:
    """Print the message and exit with 1. A training process writes it to ERROR_FILE instead, for its stage to print.

    Of several processes the first one's stays: the others fail because it has.
    """
    if ERROR_FILE in os.environ:
        with contextlib.suppress(FileExistsError), Path(os.environ[ERROR_FILE]).open("x", encoding="utf-8") as file:
            file.write(message)
        sys.exit(1)
    sys.exit(f"error: {message}")
