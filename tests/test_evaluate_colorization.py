import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import evaluate_colorization
from stages.painting.files import QualityTables, write_quality
from stages.painting.tables import CURVES, SCORES
from stages.runtime.errors import StageError
from tests.project import ROOT

PAINTERS = ["colorization", "baselines/grey", "baselines/mean_ab", "baselines/mean_ab_by_lightness"]


def tables(**columns: list) -> QualityTables:
    """Two images in domain, two out of it; every score 0.5 but those given; every accuracy rises evenly from 0 to 1."""
    names = {"image": ["a/1", "b/2", "c/3", "c/4"], "domain": ["in", "in", "out", "out"]}
    scores = pd.DataFrame(dict.fromkeys(SCORES.names, 0.5) | names | columns)
    rising = [(threshold, threshold / 150, threshold / 150) for threshold in range(151)]
    return QualityTables(scores, CURVES.frame([(domain, *row) for domain in ("in", "out") for row in rising]))


@pytest.fixture
def quality(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text((ROOT / "profiles/sample.yaml").read_text())
    Path("data/quality/baselines").mkdir(parents=True)
    for painter in PAINTERS:
        write_quality(f"data/quality/{painter}", tables())


def metrics() -> dict:
    evaluate_colorization.main()
    return json.loads(Path("metrics/colorization.json").read_text())


def test_means_are_over_each_domains_images(quality):
    given = tables(psnr=[20, 30, 10, 11], probe_correct_true=[1, 1, 0, 1], probe_correct_painted=[1, 0, 0, 0])
    write_quality("data/quality/colorization", given)
    found = metrics()
    assert found["in_domain"]["colorization"]["psnr"] == 25
    assert found["out_of_domain"]["colorization"]["psnr"] == 10.5
    assert found["in_domain"]["colorization"]["probe_accuracy"] == 0.5
    assert found["in_domain"]["truth"] == {"colorfulness": 0.5, "probe_accuracy": 1}
    assert found["out_of_domain"]["truth"]["probe_accuracy"] == 0.5
    assert found["in_domain"]["grey"]["auc"] == pytest.approx(0.5)
    assert found["in_domain"].keys() == {"truth", "colorization", "grey", "mean_ab", "mean_ab_by_lightness"}
    scores = {"psnr", "ssim", "lpips", "ab_rmse", "auc", "auc_rebalanced", "colorfulness", "probe_accuracy"}
    assert found["out_of_domain"]["mean_ab"].keys() == scores


@pytest.mark.parametrize(
    ("spread", "means", "collapsed"),
    [
        (0, [7.0, 7.0, 7.0, 7.0], 1),
        (0.5, [7.0, 7.1, 7.0, 7.1], 1),  # less than a step of 8-bit Lab
        (3, [7.0, 7.0, 7.0, 7.0], 0),  # the same mean, but not one colour
        (0, [5.0, 9.0, 5.0, 9.0], 0),  # one colour an image, but not the same
    ],
)
def test_a_painter_of_one_color_has_collapsed(quality, spread, means, collapsed):
    write_quality("data/quality/colorization", tables(spread_painted=[spread] * 4, a_painted=means))
    assert metrics()["collapsed"] == {"colorization": collapsed}


def test_objectives_are_those_of_the_parameters(quality):
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["pretext"]["objectives"] = ["colorization", "split_brain"]
    Path("params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(StageError, match=r"data/quality/split_brain/scores\.csv is missing"):
        evaluate_colorization.main()
    write_quality("data/quality/split_brain", tables())
    write_quality("data/quality/color_classification", tables())  # of an earlier run
    assert metrics()["collapsed"].keys() == {"colorization", "split_brain"}


def test_what_is_not_finite_is_refused_by_name_and_nothing_is_written(quality):
    write_quality("data/quality/baselines/mean_ab", tables(ssim=[0.5, np.nan, 0.5, 0.5]))
    with pytest.raises(StageError, match=r"baselines/mean_ab/scores\.csv, line 3: ssim must be a finite number"):
        evaluate_colorization.main()
    assert not Path("metrics").exists()
