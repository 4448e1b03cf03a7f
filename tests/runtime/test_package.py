"""What `stages.runtime` may hold, as its docstring says: nothing that could change a byte of an output."""

import ast

import pytest
import yaml

from stages.runtime.params import load_params
from stages.runtime.schema import Group
from tests.project import ROOT

# They compute, draw, sort or encode what an output holds.
FORBIDDEN = {"csv", "hashlib", "json", "numpy", "pandas", "pickle", "PIL", "random", "safetensors", "torch"}
# From the rest of the project it knows what the schema accepts.
KNOWN = {"stages.models.geometry", "stages.study.heads", "stages.study.representations"}


def test_it_imports_nothing_that_computes_or_encodes():
    for path in (ROOT / "stages/runtime").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            for module in modules:
                assert module.partition(".")[0] not in FORBIDDEN, path
                assert not module.startswith("stages.") or module.startswith("stages.runtime") or module in KNOWN, path


def groups(group: type[Group] = Group) -> list[type[Group]]:
    return [each for child in group.__subclasses__() for each in (child, *groups(child))]


def test_no_parameter_has_a_default():
    """It would be a value that is not in params.yaml, where DVC looks for a change."""
    fields = {f"{group.__name__}.{name}": field for group in groups() for name, field in group.model_fields.items()}
    assert len(fields) > 50
    assert [name for name, field in fields.items() if not field.is_required()] == []


@pytest.mark.parametrize("path", [ROOT / "params.yaml", *sorted((ROOT / "profiles").glob("*.yaml"))], ids=str)
def test_accepted_values_are_passed_on_unchanged(path):
    assert load_params(path).model_dump() == yaml.safe_load(path.read_text())
