from pathlib import Path

from stages.probing import heads
from stages.probing.protocol import HEAD_MODULES
from stages.probing.tables import DEPTH_HEAD, HEADS
from stages.study import heads as names


def test_every_head_is_a_module_with_its_protocol_and_every_module_a_head():
    assert {path.stem for path in Path(heads.__path__[0]).glob("[!_]*.py")} == set(HEADS)
    for module in HEAD_MODULES.values():
        assert callable(module.fit) and callable(module.predict)
        assert "Settings that matter" in module.__doc__ and "probe." in module.__doc__


def test_every_head_has_a_name_for_readers():
    assert list(names.HEADS) == list(HEADS)
    assert DEPTH_HEAD in HEADS
