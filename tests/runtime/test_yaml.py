"""The stages read params.yaml as DVC does: what is recorded in dvc.lock is what was computed with."""

import math
import re

import pytest
from dvc.utils.serialize import dumps_yaml, parse_yaml

from stages.runtime.errors import StageError
from stages.runtime.params import load_params
from tests.project import ROOT

SAMPLE = (ROOT / "profiles/sample.yaml").read_text()

# How YAML 1.2 reads each; 1.1, which PyYAML knows, takes most of them for something else.
WHOLE = {
    "310": 310, "0310": 310, "010": 10, "08": 8, "+12": 12, "0o17": 15, "0x1F": 31, "0b1100": 12, "1_000": 1000,
    "0o0310": 200, "!!int 12": 12,
}  # fmt: skip
NUMBERS = {
    "1e-3": 1e-3, "1E-3": 1e-3, "1.e-3": 1e-3, "+1.0e-3": 1e-3, ".5": 0.5, "+.5": 0.5, ".5e-1": 0.05, "1.": 1.0,
    "01.5": 1.5, "1_0.5": 10.5, "1": 1.0, "1e3": 1000.0, "12e03": 12000.0, "1e+3": 1000.0, "!!float 1": 1.0,
}  # fmt: skip
BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NULLS = ("null", "Null", "NULL", "~", "")
TEXTS = (
    "1:30", "190:20:30", "190:20:30.15", "yes", "no", "on", "off", "Yes", "NO", "On", "y", "n", "0o8", "0X1F", "0B1",
    "1e1_0", "_1", "'310'", '"310"', "1,000", "1 000", "nan", "inf", "0x", "1e", "--1", "1.2.3", "١٢", "tRUE", "nUll",
)  # fmt: skip
UNBOUND = (".inf", "-.inf", "+.INF", ".nan", ".NaN", ".NAN")


def load(tmp_path, key: str, text: str):
    """The parameter as the stages read it, from the sample's file with one line changed."""
    group, name = key.split(".")
    changed, count = re.subn(rf"(\n{group}:\n(?:  .*\n)*?  {name}: )[^#\n]*", lambda m: m[1] + text + " ", SAMPLE)
    assert count == 1
    path = tmp_path / "params.yaml"
    path.write_text(changed)
    return getattr(getattr(load_params(path), group), name)


def recorded(text: str):
    """What DVC reads, and still reads after it has written it to dvc.lock."""
    value = parse_yaml(f"key: {text}\n", "params.yaml")["key"]
    again = parse_yaml(dumps_yaml({"key": value}), "dvc.lock")["key"]
    assert again == value or (math.isnan(value) and math.isnan(again))
    return value


@pytest.mark.parametrize("text", WHOLE)
def test_a_whole_number(tmp_path, text):
    found = load(tmp_path, "data.images_per_class", text)
    assert (type(found), found) == (int, WHOLE[text]) and found == recorded(text)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number(tmp_path, text):
    found = load(tmp_path, "train.weight_decay", text)
    assert (type(found), found) == (float, NUMBERS[text]) and found == recorded(text)


@pytest.mark.parametrize("text", BOOLS)
def test_true_or_false(tmp_path, text):
    assert load(tmp_path, "train.deterministic", text) is BOOLS[text] is recorded(text)


@pytest.mark.parametrize("text", NULLS)
def test_null(tmp_path, text):
    assert load(tmp_path, "data.images_per_class", text) is None is recorded(text)


@pytest.mark.parametrize("key", ["data.images_per_class", "train.weight_decay", "train.deterministic"])
@pytest.mark.parametrize("text", TEXTS)
def test_what_is_text_to_dvc_is_refused_where_a_number_or_a_truth_is_due(tmp_path, key, text):
    assert isinstance(recorded(text), str)
    with pytest.raises(StageError, match=rf"{key} must be .*; got '{re.escape(recorded(text))}'"):
        load(tmp_path, key, text)


@pytest.mark.parametrize("text", UNBOUND)
def test_what_is_no_finite_number_is_refused(tmp_path, text):
    assert not math.isfinite(recorded(text))
    with pytest.raises(StageError, match="must be a finite number"):
        load(tmp_path, "train.weight_decay", text)


@pytest.mark.parametrize("text", ["1:30", "yes", "012345678901234567890123456789ab"])
def test_a_text_is_the_same_text(tmp_path, text):
    key = "data.md5" if len(text) == 32 else "data.url"
    assert load(tmp_path, key, text) == text == recorded(text)


@pytest.mark.parametrize("text", ["0310", "1e3", "true", "2001-01-01", "0x1F", "~"])
def test_what_is_no_text_to_dvc_is_refused_where_text_is_due(tmp_path, text):
    """A folder that is called 0310 needs quotes."""
    assert not isinstance(recorded(text), str)
    with pytest.raises(StageError, match=r"data.url must be a string; got"):
        load(tmp_path, "data.url", text)
    assert load(tmp_path, "data.url", f"'{text}'") == text


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("seed: 1\n", 'found duplicate key "seed"'),
        ("a: [1\n", "line "),
        ("a: 2001-99-99\n", "month must be in 1..12"),
        ("a: !!python/object/apply:os.system [true]\n", "could not determine a constructor"),
        ("\tb: 1\n", "line "),
    ],
)
def test_what_dvc_cannot_read_is_refused_with_the_line(tmp_path, added, words):
    path = tmp_path / "params.yaml"
    path.write_text(SAMPLE + added)
    with pytest.raises(StageError, match=f"not valid YAML: .*{re.escape(words)}"):
        load_params(path)
