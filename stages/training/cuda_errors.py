"""What a GPU cannot do, reported with the parameter to change."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from stages.runtime.errors import StageError


@contextmanager
def explain_cuda_errors() -> Iterator[None]:
    """Turn errors of the block into errors for the user.

    Raises:
        StageError: when the GPU has too little memory, or an operation has no deterministic algorithm.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise StageError(
            f"the GPU has too little memory ({str(error).splitlines()[0]}). Lower train.batch_size, or set "
            "STAGES_DEVICE=cpu."
        ) from None
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise StageError(
            f"this objective needs an operation that this device cannot compute with train.deterministic: true "
            f"({str(error).splitlines()[0]}). Set it to false: results then differ in the last digits from run to run."
        ) from None
