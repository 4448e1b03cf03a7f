import numpy as np
import pandas as pd
import pytest

from stages.painting.files import CURVES, SCORES, QualityTables, read_quality, write_quality
from stages.runtime.errors import StageError


@pytest.fixture
def tables() -> QualityTables:
    rng = np.random.default_rng(0)
    images = pd.DataFrame({"image": ["pie/1", "soup/2", "soup/3"], "domain": ["in", "out", "out"]})
    scores = pd.DataFrame(rng.random((3, len(SCORES))), columns=SCORES)
    curves = pd.DataFrame(rng.random((4, len(CURVES))), columns=CURVES)
    curves.insert(0, "domain", ["in", "in", "out", "out"])
    return QualityTables(pd.concat((images, scores), axis=1), curves)


def test_what_was_written_is_read_back(tables, tmp_path):
    write_quality(tmp_path / "grey", tables)
    assert sorted(path.name for path in (tmp_path / "grey").iterdir()) == ["auc.csv", "scores.csv"]
    for written, read in zip(tables, read_quality(tmp_path / "grey"), strict=True):
        pd.testing.assert_frame_equal(written, read, rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused_by_column_and_image(tables, tmp_path, value):
    tables.scores.loc[1, "lpips"] = value
    write_quality(tmp_path, tables)
    with pytest.raises(StageError, match=r"scores\.csv: lpips of image soup/2 is .*finite"):
        read_quality(tmp_path)


def test_a_missing_file_column_or_domain_is_refused_by_name(tables, tmp_path):
    with pytest.raises(StageError, match=r"grey/scores\.csv is missing"):
        read_quality(tmp_path / "grey")
    write_quality(tmp_path, QualityTables(tables.scores.drop(columns="ssim"), tables.curves))
    with pytest.raises(StageError, match=r"scores\.csv needs the columns image,domain,psnr,ssim"):
        read_quality(tmp_path)
    write_quality(tmp_path, QualityTables(tables.scores, tables.curves[:2]))
    with pytest.raises(StageError, match=r"auc\.csv has no rows of domain 'out'"):
        read_quality(tmp_path)
