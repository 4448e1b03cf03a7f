import numpy as np
import pytest

from stages.formats.csv import Table
from stages.runtime.errors import StageError

TABLE = Table("a table of dishes", {"dish": str, "images": int, "share": float, "low": None}, float_format="%.6g")
ROWS = [("nan", 3, 0.123456789, np.nan), ("null", 4, 1.0, 0.5), ("", 5, 1e-9, -2.0)]


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "dishes.csv"
    TABLE.write(path, TABLE.frame(ROWS))
    assert path.read_text() == "dish,images,share,low\nnan,3,0.123457,\nnull,4,1,0.5\n,5,1e-09,-2\n"
    for categories in (False, True):
        table = TABLE.read(path, categories=categories)
        assert list(table["dish"]) == ["nan", "null", ""]
        assert list(table["images"]) == [3, 4, 5]
        assert table["share"].tolist() == [0.123457, 1.0, 1e-9]
        assert table["low"].isna().tolist() == [True, False, False]


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    TABLE.write(tmp_path / "none.csv", TABLE.frame([]))
    assert list(TABLE.read(tmp_path / "none.csv")) == TABLE.names


def test_other_columns_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="must have the columns dish,images,share,low; got share,dish,images,low"):
        TABLE.write(tmp_path / "a.csv", TABLE.frame(ROWS)[["share", "dish", "images", "low"]])
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing. `dvc repro` makes it"),
        ("", "is not a table of dishes"),
        ("dish,images\nx,1\n", "must have the columns dish,images,share,low; got dish,images"),
        ("dish,images,share,low\nx,many,1,1\n", "is not a table of dishes"),
        ("dish,images,share,low\nx,,1,1\n", "is not a table of dishes"),
        ("dish,images,share,low\nx,1,0.5,\ny,1,,\n", "line 3: share must be a finite number; got 'nan'"),
        ("dish,images,share,low\nx,1,inf,\n", "line 2: share must be a finite number; got 'inf'"),
        ("dish,images,share,low\nx,1,half,\n", "line 2: share must be a finite number; got 'half'"),
        ("dish,images,share,low\nx,1,1,low\n", "line 2: low must be a finite number or empty; got 'low'"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "dishes.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StageError) as refusal:
        TABLE.read(path)
    assert str(path) in str(refusal.value)
    assert message in str(refusal.value)
