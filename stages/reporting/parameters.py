"""The parameters of this run that are not the default's."""

from pathlib import Path

import yaml

from stages.runtime.schema import Group, Params

DEFAULT = "profiles/sample.yaml"


def changed_parameters(own: Params, default: str | Path = DEFAULT) -> list[tuple[str, str, str]]:
    """Key, default and value here of each leaf that differs, in the order of `Params`."""
    values = yaml.safe_load(Path(default).read_text(encoding="utf-8"))
    return [(key, _shown(old), _shown(new)) for key, old, new in _pairs(Params, values, own) if old != new]


def _pairs(group: type[Group], default: dict, own: Group, prefix: str = "") -> list[tuple]:
    pairs = []
    for name, field in group.model_fields.items():
        old, new, kind = default[name], getattr(own, name), field.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            pairs += _pairs(kind, old, new, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", old, new))
    return pairs


def _shown(value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return "null" if value is None else str(value)
