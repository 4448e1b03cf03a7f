import numpy as np
import pytest

from stages.training.settings import learning_rate_at


def test_the_schedule_warms_up_and_comes_down_to_nothing():
    rates = [learning_rate_at(step, 100, 1.0, 0.1) for step in range(100)]
    assert np.argmax(rates) == 10
    assert rates[10] == 1.0
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[55] == pytest.approx(0.5)
    assert rates[-1] < 1e-3
