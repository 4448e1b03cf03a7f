"""Which Python runs a stage: one without the project's packages says so in a line, not in a traceback.

DVC runs a stage's command by the first `python3` of the PATH, which is not DVC's own where no environment is activated.
This module is imported before any package, perhaps by an older Python than the rest of the code is written for.
"""

import sys

OLDEST = (3, 11)  # `requires-python` of pyproject.toml


def explain_missing_packages() -> None:
    """Exit with a line instead of a traceback, if this Python is too old or, later on, lacks a package.

    Does nothing where `stages` is imported as a library: only for `python3 -m stages.<name>`.
    """
    if sys.argv[:1] != ["-m"]:  # its value until Python has located the module
        return
    if sys.version_info < OLDEST:
        sys.exit(_message("is too old"))
    sys.excepthook = _print_line


def _print_line(kind, error, traceback) -> None:
    """For `sys.excepthook`; Python then exits with 1."""
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if issubclass(kind, ModuleNotFoundError) and package not in ("", "stages"):
        print(_message(f"lacks {package}"), file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


def _message(problem) -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    return (
        f"error: {sys.executable} (Python {version}) {problem}. Activate the environment that `make install` makes, "
        "`source .venv/bin/activate`, then run the command again"
    )
