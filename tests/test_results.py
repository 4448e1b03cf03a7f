"""The page of results says what its tables say."""

import re
import shutil

import pandas as pd
import pytest

from docs.results import DOCS, TABLES, Run, render

PAGE = (DOCS / "results.md").read_text()
TEMPLATE = (DOCS / "results.md.jinja").read_text()


def test_the_page_is_its_template_with_the_numbers_of_the_tables():
    assert render() == PAGE, "run `make docs`"


def test_what_comes_before_the_tables_is_short():
    assert len(PAGE.partition("## Every lift")[0].split()) <= 1200 + words_of_tables()


def words_of_tables() -> int:
    return sum(len(line.split()) for line in PAGE.partition("## Every lift")[0].splitlines() if line.startswith("|"))


def test_no_result_is_typed_into_the_template():
    """Accuracies and lifts have one decimal; what else has one is a setting in code or the aim."""
    prose = re.sub(r"{{.*?}}|`[^`]*`|```.*?```", "", TEMPLATE, flags=re.DOTALL)
    numbers = re.findall(r"(?<![\w.])\d+\.\d(?![\w.])", prose)
    assert numbers == ["1.5"]  # the aim


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [
        ("comparison", "accuracy", "domain == 'in' and representation == 'colorization' and seed == 'mean'"),
        ("lifts", "lift_high", "domain == 'out' and view == 'best' and representation == 'split_brain'"),
        ("depth", "accuracy", "representation == 'random' and layer == 'mid'"),
        ("label_efficiency", "accuracy", "representation == 'rgb' and shots == '5'"),
        ("ablation", "conv_in", "optimizer == 'Muon'"),
    ],
)
def test_another_number_in_a_table_is_another_page(tmp_path, table, column, row):
    folder = shutil.copytree(TABLES, tmp_path / "tables")
    path = folder / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = frame.query(row).index
    assert len(rows)
    frame.loc[rows, column] = "0.987"
    frame.to_csv(path, index=False)
    assert render(Run(folder)) != PAGE
