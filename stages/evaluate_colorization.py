"""Stage: how well each objective colorizes test images, beside the baselines, as metrics for `dvc metrics`.

Reads data/quality/; writes metrics/colorization.json.
"""

import numpy as np
import pandas as pd

from stages.dataset.manifest import DOMAIN_NAMES
from stages.formats.json import write_json
from stages.painting.files import QualityTables, read_quality
from stages.painting.raw_accuracy import area_under_curve
from stages.runtime.entry_point import run
from stages.runtime.params import load_params

BASELINES = ("grey", "mean_ab", "mean_ab_by_lightness")
MEANS = {name: name for name in ("psnr", "ssim", "lpips", "ab_rmse")} | {
    "colorfulness": "colorfulness_painted",
    "probe_accuracy": "probe_correct_painted",
}
TRUTH = {"colorfulness": "colorfulness_true", "probe_accuracy": "probe_correct_true"}
AREAS = {"auc": "accuracy", "auc_rebalanced": "accuracy_rebalanced"}
# Colours that vary by less than a step of 8-bit Lab, over all test images, are one colour.
ONE_COLOR = 1.0


def main() -> None:
    objectives = load_params().pretext.objectives
    folders = {name: f"data/quality/{name}" for name in objectives}
    folders |= {name: f"data/quality/baselines/{name}" for name in BASELINES}
    quality = {name: read_quality(folder) for name, folder in folders.items()}
    metrics = {
        name: {painter: summary(tables, domain) for painter, tables in quality.items()}
        | {"truth": _means(quality[objectives[0]].scores, domain, TRUTH)}
        for domain, name in DOMAIN_NAMES.items()
    }
    metrics["collapsed"] = {name: int(painted_spread(quality[name].scores) < ONE_COLOR) for name in objectives}
    write_json("metrics/colorization.json", metrics)


def summary(tables: QualityTables, domain: str) -> dict[str, float]:
    """A painter's metrics on one domain: means over its images; the areas under the curves of all their pixels."""
    curves = tables.curves[tables.curves.domain == domain]
    areas = {name: round(float(area_under_curve(curves[column].to_numpy())), 6) for name, column in AREAS.items()}
    return _means(tables.scores, domain, MEANS) | areas


def painted_spread(scores: pd.DataFrame) -> float:
    """Standard deviation of all painted pixels in the ab plane, over images of one size.

    Its square is the variance within images plus the variance of their means (law of total variance).
    """
    between = scores[["a_painted", "b_painted"]].var(ddof=0).sum()
    return float(np.sqrt((scores.spread_painted**2).mean() + between))


def _means(scores: pd.DataFrame, domain: str, columns: dict[str, str]) -> dict[str, float]:
    rows = scores[scores.domain == domain]
    return {name: round(float(rows[column].mean()), 6) for name, column in columns.items()}


if __name__ == "__main__":
    run(main)
