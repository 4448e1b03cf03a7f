import pytest

from stages.probing.head import Trial, select_hyperparameter
from stages.runtime.errors import StageError


def test_selection_goes_by_accuracy_then_loss_then_the_smaller_value():
    a, b, c, d = Trial(1.0, 0.5, 0.9), Trial(2.0, 0.6, 1.0), Trial(3.0, 0.6, 0.8), Trial(4.0, 0.6, 0.8)
    diverged = Trial(0.1, 0.9, float("nan"))
    assert select_hyperparameter([a, b], "linear_c") == 1
    assert select_hyperparameter([a, b, c], "linear_c") == 2
    assert select_hyperparameter([d, c, b, a], "linear_c") == 1
    assert select_hyperparameter([diverged, a], "linear_c") == 1
    with pytest.raises(StageError, match=r"diverged at every value of probe\.linear_c: 0\.1"):
        select_hyperparameter([diverged], "linear_c")
