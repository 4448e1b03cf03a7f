import pytest

from stages.probing.selection import Trial, choose
from stages.runtime.errors import StageError


def test_choices_go_by_accuracy_then_loss_then_the_smaller_value():
    a, b, c, d = (
        Trial(1.0, 0.5, 0.9, None),
        Trial(2.0, 0.6, 1.0, None),
        Trial(3.0, 0.6, 0.8, None),
        Trial(4.0, 0.6, 0.8, None),
    )
    diverged = Trial(0.1, 0.9, float("nan"), None)
    assert choose([a, b], "linear_c") is b
    assert choose([a, b, c], "linear_c") is c
    assert choose([d, c, b, a], "linear_c") is c
    assert choose([diverged, a], "linear_c") is a
    with pytest.raises(StageError, match=r"diverged at every value of probe\.linear_c: 0\.1"):
        choose([diverged], "linear_c")
