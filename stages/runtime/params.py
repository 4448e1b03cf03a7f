"""Read params.yaml, and explain to the user what is wrong with it.

YAML 1.2, read as DVC reads it: by PyYAML, which knows 1.1, `0310` would be 200, `1:30` 90, `yes` true and `1e-4` text.

`load_params` checks the whole file: a wrong key stops every stage before it starts to work, whichever keys that stage
reads.
"""

import difflib
import math
import re
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML, YAMLError

from stages.runtime.errors import StageError
from stages.runtime.schema import Params

PARAMS_FILE = "params.yaml"


def load_params(path: str | Path = PARAMS_FILE) -> Params:
    """Read and check a parameter file.

    Raises:
        StageError: naming each key that is missing, unknown, of the wrong type or out of range, with
            the value given and those accepted.
    """
    path = Path(path)
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))  # DVC's own reader
    except FileNotFoundError:
        raise StageError(
            f"{path} is missing. Run the stage from the project's root, or copy a file of profiles/ to it."
        ) from None
    except (YAMLError, ValueError) as error:  # ValueError: not UTF-8, a 99th of January
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        reason = f"line {mark.line + 1}: {problem}" if mark and problem else error
        raise StageError(f"{path} is not valid YAML: {reason}") from None
    if not isinstance(values, dict):
        raise StageError(f"{path} must hold groups of parameters; got {_quote(values)}")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(problem)}" for problem in error.errors())
        raise StageError(f"{path} is refused:\n{problems}") from None


def _explain(problem: dict) -> str:
    """One line for the user from one of pydantic's error records."""
    location, value, limits = problem["loc"], problem["input"], problem.get("ctx", {})
    key = re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, location)))
    match problem["type"]:
        case "value_error":
            return str(limits["error"])
        case "missing":
            return f"{key} is missing; profiles/sample.yaml and profiles/food101.yaml have it"
        case "extra_forbidden":
            siblings = _siblings(location)
            close = difflib.get_close_matches(str(location[-1]), siblings, n=1)
            prefix = "".join(f"{part}." for part in location[:-1])
            hint = f"did you mean {prefix}{close[0]}?" if close else f"accepted: {', '.join(siblings)}"
            return f"{key} is not a parameter; {hint}"
        case "literal_error":
            accepted = f"one of {limits['expected'].replace(' or ', ', ')}"
        case "string_pattern_mismatch":
            accepted = "32 lower-case hexadecimal digits, or null"
        case "greater_than_equal":
            accepted = f"at least {limits['ge']}"
        case "greater_than":
            accepted = f"above {limits['gt']}"
        case "less_than_equal":
            accepted = f"at most {limits['le']}"
        case "less_than":
            accepted = f"below {limits['lt']}"
        case "too_short" | "string_too_short":
            accepted = f"at least {limits['min_length']} long"
        case "too_long":
            accepted = f"at most {limits['max_length']} long"
        case "finite_number":
            accepted = "a finite number"
        case kind:
            accepted = _TYPES.get(kind, problem["msg"])
    return f"{key} must be {accepted}; got {_quote(value)}"


_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a string",
    "list_type": "a list",
    "model_type": "a group of parameters",
    "int_from_float": "a whole number",
}


def _siblings(location: tuple) -> list[str]:
    group = Params
    for part in location[:-1]:
        group = group.model_fields[part].annotation
    return list(group.model_fields)


def _quote(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "a value that is not finite"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
