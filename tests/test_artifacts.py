"""Encoders under names of their own: dvc.yaml's `artifacts`, and `dvc artifacts get`."""

import yaml

from stages.formats.encoder import load_encoder
from tests.project import ROOT

ARTIFACTS = yaml.safe_load((ROOT / "dvc.yaml").read_text())["artifacts"]


def test_each_encoder_of_the_default_parameters_is_an_artifact():
    pretext = yaml.safe_load((ROOT / "profiles/sample.yaml").read_text())["pretext"]
    expected = {name: f"data/encoders/{name}" for name in (*pretext["objectives"], *pretext["controls"])}
    assert {name: artifact["path"] for name, artifact in ARTIFACTS.items()} == expected
    assert all(artifact["type"] == "model" and artifact["desc"] for artifact in ARTIFACTS.values())


def test_a_tagged_encoder_is_fetched_by_its_name(project, tmp_path):
    """From a repository on the same disk, so without a network."""
    project.run("git", "tag", "--annotate", "colorization@v1.0.0", "--message", "first")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    project.run("dvc", "artifacts", "get", str(project.path), "colorization", "--out", str(elsewhere / "encoder"))
    assert sorted(path.name for path in (elsewhere / "encoder").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert load_encoder(elsewhere / "encoder").predicts_ab
