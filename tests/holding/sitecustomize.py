"""Holds a training within a step, for tests that interrupt it there: see `tests.hold`.

Python imports this module at its start when the folder is on PYTHONPATH. A test that waited for a while instead would
hit another step on a slower machine, or none, as the training would be done.
"""

import os
import sys

TRAININGS = ("stages.train_autoencoder", "stages.train_control")


def hold(folder: str, number: int) -> None:
    """In step `number` of this process write the count of received signals to `folder`/<pid>, until that is deleted."""
    import time
    from pathlib import Path

    import torch

    clip, step = torch.nn.utils.clip_grad_norm_, 0

    def clip_when_released(*arguments, **keywords):
        nonlocal step
        step += 1
        if step == number:
            from stages.runtime.interrupts import received

            marker, written = Path(folder, str(os.getpid())), -1
            while written < 0 or marker.exists():
                if written != len(received):
                    written = len(received)
                    part = marker.with_suffix(".part")
                    part.write_text(str(written))
                    part.replace(marker)
                time.sleep(0.01)
        return clip(*arguments, **keywords)

    torch.nn.utils.clip_grad_norm_ = clip_when_released


FIRST = os.environ.get("LOCAL_RANK", "0") == "0"
if "TESTS_HOLD" in os.environ and FIRST and any(argument in TRAININGS for argument in sys.orig_argv):
    hold(os.environ["TESTS_HOLD"], int(os.environ["TESTS_HOLD_STEP"]))
