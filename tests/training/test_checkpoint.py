import pytest

from stages.runtime.errors import StageError
from stages.training.checkpoint import Checkpoint


def test_runs_of_one_key_side_by_side_have_a_file_each(tmp_path):
    first, second = (Checkpoint(tmp_path, "key") for _ in range(2))
    assert (first.slot, second.slot) == (0, 1)
    first.save({"run": 1})
    second.save({"run": 2})
    assert (first.load(), second.load()) == ({"run": 1}, {"run": 2})
    assert Checkpoint(tmp_path, "key", 0).load() == {"run": 1}  # of another process of the first run
    first.remove()
    assert Checkpoint(tmp_path, "key").load() is None
    assert second.load() == {"run": 2}
    second.remove()


def test_what_one_of_them_left_is_gone_on_with_and_forgotten_when_the_result_is_there(tmp_path):
    first, second = (Checkpoint(tmp_path, "key") for _ in range(2))
    second.save({"step": 900})
    del second  # killed: the lock ends with the process
    again = Checkpoint(tmp_path, "key")
    assert (again.slot, again.load()) == (1, {"step": 900})
    third = Checkpoint(tmp_path, "key")
    third.save({"step": 5})
    assert third.slot == 2
    del third
    again.remove()
    first.remove()
    assert not list(tmp_path.iterdir())


def test_so_it_is_with_the_state_of_the_first(tmp_path):
    first, second = (Checkpoint(tmp_path, "key") for _ in range(2))
    first.save({"step": 5})
    del first
    second.remove()
    assert not list(tmp_path.iterdir())


def test_a_wrong_interval_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("STAGES_CHECKPOINT_SECONDS", "often")
    with pytest.raises(StageError, match=r"STAGES_CHECKPOINT_SECONDS must be a number of seconds.*'often'"):
        Checkpoint(tmp_path, "key")
