"""The error of a place that Food-101 cannot be had from."""

from stages.runtime.errors import StageError


class SourceError(StageError):
    """A source that cannot be had, or is not what it should be: another one, of data.mirrors, may be."""
