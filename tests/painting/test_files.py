import numpy as np
import pandas as pd
import pytest

from stages.painting.files import QualityTables, read_quality, write_quality
from stages.painting.tables import CURVES, SCORES
from stages.runtime.errors import StageError


@pytest.fixture
def tables() -> QualityTables:
    rng = np.random.default_rng(0)
    numbers = rng.random((3, len(SCORES.names) - 2))
    scores = SCORES.frame(
        [("pie/1", "in", *numbers[0]), ("soup/2", "out", *numbers[1]), ("soup/3", "out", *numbers[2])]
    )
    curves = CURVES.frame([(domain, threshold, *rng.random(2)) for domain in ("in", "out") for threshold in (0, 1)])
    return QualityTables(scores, curves)


def test_what_was_written_is_read_back(tables, tmp_path):
    write_quality(tmp_path / "grey", tables)
    assert sorted(path.name for path in (tmp_path / "grey").iterdir()) == ["auc.csv", "scores.csv"]
    for written, read in zip(tables, read_quality(tmp_path / "grey"), strict=True):
        pd.testing.assert_frame_equal(written, read, rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused_by_column_and_line(tables, tmp_path, value):
    tables.scores.loc[1, "lpips"] = value
    write_quality(tmp_path, tables)
    with pytest.raises(StageError, match=r"scores\.csv, line 3: lpips must be a finite number; got"):
        read_quality(tmp_path)


def test_a_missing_file_column_or_domain_is_refused_by_name(tables, tmp_path):
    with pytest.raises(StageError, match=r"grey/scores\.csv is missing"):
        read_quality(tmp_path / "grey")
    write_quality(tmp_path, tables)
    tables.scores.drop(columns="ssim").to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(StageError, match=r"scores\.csv .*must have the columns image,domain,psnr,ssim"):
        read_quality(tmp_path)
    write_quality(tmp_path, QualityTables(tables.scores, tables.curves[:2]))
    with pytest.raises(StageError, match=r"auc\.csv has no rows of domain 'out'"):
        read_quality(tmp_path)
