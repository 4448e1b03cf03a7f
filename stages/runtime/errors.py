"""The exception whose message is for the user."""


class StageError(Exception):
    """An error that the user can correct. The message says what was found, what is accepted and what to do.

    `stages.runtime.entry_point.run` prints it without a traceback and exits with 1.
    """
