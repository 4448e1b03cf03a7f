"""The parameters of this run that are not the default's."""

from pathlib import Path

import yaml

from stages.runtime.schema import Group, Params

DEFAULT = "profiles/sample.yaml"


def changed_parameters(params: Params, default: str | Path = DEFAULT) -> list[tuple[str, str, str]]:
    """Key, default and value here of each leaf that differs, in the order of the default's file.

    Not in the order of the schema, which the report does not depend on.
    """
    values = yaml.safe_load(Path(default).read_text(encoding="utf-8"))
    return [(key, _shown(old), _shown(new)) for key, old, new in _leaves(values, params) if old != new]


def _leaves(default: dict, params: Group, prefix: str = "") -> list[tuple]:
    leaves = []
    for name, old in default.items():
        new = getattr(params, name)
        if isinstance(old, dict):
            leaves += _leaves(old, new, f"{prefix}{name}.")
        else:
            leaves.append((f"{prefix}{name}", old, new))
    return leaves


def _shown(value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
