import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stages import paint, paint_baselines
from stages.dataset.manifest import ManifestRow, write_manifest
from stages.models.autoencoder import Autoencoder
from stages.painting import evaluation
from stages.painting.files import read_quality
from stages.palette.bins import gamut_bins
from stages.palette.counts import write_mean_ab, write_prior
from stages.palette.prior import ab_histogram, mean_ab_by_lightness
from stages.runtime.errors import StageError
from tests.project import ROOT

CLASSES = {"in": ["pie", "soup"], "out": ["stew", "tart"]}
IMAGES = 5  # test images of each class
PICTURES = [
    f"{domain}{kind}.png" for domain in ("in_domain", "out_of_domain") for kind in ("", "_best", "_typical", "_worst")
]


class FakeProbe:
    """Takes what is red on the whole for the domain's second class."""

    def __init__(self, folder: str, domain: str):
        self.classes = np.array(CLASSES[domain])

    def predict_lab8(self, lab8: np.ndarray) -> np.ndarray:
        return self.classes[(lab8[:, 1].mean(axis=(1, 2)) > 128).astype(int)]


def make_inputs(folder: Path) -> None:
    """All that both stages read, but the probe."""
    rows = [
        ManifestRow(f"{label}/{number:03}", label, domain, subset)
        for domain, labels in CLASSES.items()
        for label in labels
        for number, subset in enumerate(["probe", "validation", *["test"] * IMAGES])
    ]
    write_manifest(rows, folder / "data/split/manifest.csv")
    # The lighter, the warmer; the second class of each domain more so.
    rng = np.random.default_rng(0)
    lightness = rng.integers(60, 200, (4 * IMAGES, 8, 8)).repeat(4, axis=1).repeat(4, axis=2)
    warmth = (lightness - 120) / 4 + np.repeat([-10, 20, -10, 20], IMAGES)[:, None, None]
    array = np.stack((lightness, 128 + warmth, 128 + warmth / 2), axis=1).round().astype(np.uint8)
    (folder / "data/lab").mkdir()
    np.save(folder / "data/lab/test.npy", array)

    bins = gamut_bins(10.0)
    (folder / "data/colors").mkdir()
    write_prior(folder / "data/colors/prior.csv", bins, ab_histogram(array, bins))
    write_mean_ab(folder / "data/colors/mean_ab.csv", *mean_ab_by_lightness(array))

    torch.manual_seed(0)
    model = Autoencoder("lightness", 2, [4, 4], 1, 2, 2, output_stride=2, bins=2, image_size=32)
    model.bins[:] = torch.tensor([[60.0, 0.0], [0.0, 60.0]])
    (folder / "data/encoders/color_classification").mkdir(parents=True)
    model.save_pretrained(folder / "data/encoders/color_classification")
    (folder / "data/objectives/color_classification").mkdir(parents=True)
    set_temperature(folder, 0.38)


def set_temperature(folder: Path, temperature: float) -> None:
    path = folder / "data/objectives/color_classification/paint.json"
    path.write_text(json.dumps({"temperature": temperature}))


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluation, "open_probe", FakeProbe)
    monkeypatch.setattr(sys, "argv", ["paint", "color_classification"])
    Path("params.yaml").write_text((ROOT / "profiles/sample.yaml").read_text())
    make_inputs(tmp_path)
    return tmp_path


def written() -> dict[str, bytes]:
    paths = [path for folder in ("data/quality", "data/painted") for path in Path(folder).rglob("*.*")]
    return {path.as_posix(): path.read_bytes() for path in paths}


def test_scores_and_pictures_are_the_same_bytes_each_time(project):
    paint.main()
    first = written()
    assert sorted(Path(name).name for name in first) == sorted([*PICTURES, "auc.csv", "scores.csv"])
    paint.main()
    assert written() == first


def test_every_test_image_has_a_row_in_the_manifests_order(project):
    paint.main()
    scores, curves = read_quality("data/quality/color_classification")
    manifest = pd.read_csv("data/split/manifest.csv").query("subset == 'test'")
    assert scores.image.tolist() == manifest.image.tolist()
    assert scores.domain.tolist() == manifest.domain.tolist()
    assert curves.groupby("domain").threshold.agg(list).to_dict() == {"in": list(range(151)), "out": list(range(151))}
    last = curves[curves.threshold == 150]
    assert last.accuracy.tolist() == last.accuracy_rebalanced.tolist() == [1, 1]


def test_the_temperature_is_the_objectives_own(project):
    paint.main()
    calm = read_quality("data/quality/color_classification").scores
    set_temperature(project, 0.01)
    paint.main()
    vivid = read_quality("data/quality/color_classification").scores
    assert (vivid.spread_painted > calm.spread_painted).all()
    for name in ("image", "colorfulness_true", "probe_correct_true"):  # the truth does not change
        assert vivid[name].tolist() == calm[name].tolist()


def test_baselines_come_in_the_order_of_what_they_look_at(project):
    paint_baselines.main()
    assert sorted(path.name for path in Path("data/quality/baselines").iterdir()) == [
        "grey",
        "mean_ab",
        "mean_ab_by_lightness",
    ]
    scores = {path.name: read_quality(path).scores for path in Path("data/quality/baselines").iterdir()}
    squared = {name: (each.ab_rmse**2).mean() for name, each in scores.items()}
    assert squared["mean_ab_by_lightness"] < squared["mean_ab"] < squared["grey"]
    assert not scores["grey"][["a_painted", "b_painted", "spread_painted"]].any(axis=None)
    assert scores["grey"].probe_correct_true.mean() > scores["grey"].probe_correct_painted.mean() == 0.5
    assert not Path("data/painted").exists()


def test_images_of_another_run_are_refused(project):
    np.save("data/lab/test.npy", np.load("data/lab/test.npy")[:-1])
    with pytest.raises(StageError, match="19 rows, the manifest lists 20 test images"):
        paint.main()
