"""The one exception that a stage raises for its user to read."""


class StageError(Exception):
    """Something that the user can mend; the message says what was found, what is accepted, what to do.

    `stages.runtime.entry_point.run` prints it without a traceback and exits with 1.
    """
