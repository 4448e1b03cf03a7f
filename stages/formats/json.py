"""JSON files: sorted keys, finite numbers, the same bytes for the same value."""

import json
from pathlib import Path

from stages.runtime.errors import StageError
from stages.runtime.files import whole_file


def read_json(path: str | Path):
    """The value of a JSON file.

    Raises:
        StageError: when the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro` makes it, `dvc checkout` brings it back.") from None
    except ValueError as error:
        raise StageError(f"{path} is not JSON ({error}). Remove it and run `dvc repro`.") from None


def write_json(path: str | Path, value) -> None:
    """Write `value` as JSON with sorted keys.

    Raises:
        ValueError: when a number is not finite. `dvc metrics diff` would print NaN without a warning.
    """
    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
