"""The exception for a photograph that is understood and not taken."""


class Refused(ValueError):
    """A photograph that is not read as it is; the message says why, and what to do. Reading it otherwise is no use."""
