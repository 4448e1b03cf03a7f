import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import compare
from stages.dataset.manifest import ManifestRow, write_manifest
from stages.runtime.errors import StageError
from tests.comparison.probes import CLASSES, PRIMARY, write_crossover, write_findings, write_finetuned

PROJECT = Path(__file__).parents[1]
PIXELS = {"rgb": 0.5, "lightness": 0.3}
ENCODERS = {"random": 0.35, "colorization": 0.6}
PRETRAIN_IMAGES = 7
TABLES = (
    "comparison",
    "lifts",
    "ratios",
    "label_efficiency",
    "few_shot_lifts",
    "depth",
    "accuracy",
    "seen_classes",
    "labels_saved",
)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project's root with four representations' findings, and a folder that nobody lists."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    params["probe"]["representations"] = {"pixels": [*PIXELS], "latents": [*ENCODERS]}
    params["compare"] = {
        "resamples": 200,
        "equivalence": 1.5,
        "primary": {"head": "conv", "layer": PRIMARY, "over": "rgb"},
    }
    params["finetune"]["representations"] = {"pixels": [], "latents": []}
    params["evaluate"]["probe"] = "rgb"
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for number, (name, accuracy) in enumerate((PIXELS | ENCODERS | {"forgotten": 0.9}).items()):
        kind = "pixels" if name in PIXELS else "encoder"
        write_findings("data/probes", name, accuracy, kind=kind, rng=number)
    write_manifest(ManifestRow(f"apple/{number}", "apple", "in", "pretrain") for number in range(PRETRAIN_IMAGES))
    Path("data/probes/rgb/conv.json").write_text("{}")  # what others read does not disturb
    return tmp_path


def change_representations(**changes):
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["probe"]["representations"] |= changes
    Path("params.yaml").write_text(yaml.safe_dump(params))


def written() -> dict[str, bytes]:
    paths = sorted([*Path("metrics").rglob("*"), *Path("data/comparison").rglob("*")])
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def test_all_outputs_are_written_and_no_other(workspace):
    compare.main()
    drawn = {f"confusion/{domain}/{name}.csv" for domain in CLASSES for name in PIXELS | ENCODERS}
    drawn |= {"curves.csv", "confused.csv", "takeaways.csv"}
    metrics = {"comparison.json", *(f"{table}.csv" for table in TABLES)}
    assert set(written()) == {f"data/comparison/{name}" for name in drawn} | {f"metrics/{name}" for name in metrics}
    assert not [path for path, content in written().items() if b"forgotten" in content]


def test_the_headline_says_accuracy_lift_and_chance(workspace):
    compare.main()
    found = json.loads(Path("metrics/comparison.json").read_text())
    lifts = {f"lift_over_{name}" for name in ("rgb", "lightness", "random")}
    expected = {"chance", "minimum_detectable", *PIXELS, *ENCODERS, *lifts, "ratio_to_rgb"}
    assert set(found["in_domain"]) == {*expected, "chance_corrected_ratio_to_rgb"}
    assert set(found["out_of_domain"]) == expected  # where rgb is not better than chance
    assert (found["in_domain"]["chance"], found["out_of_domain"]["chance"]) == (0.25, 0.5)
    table = pd.read_csv("data/probes/rgb/predictions.csv", keep_default_na=False)
    table = table.query("domain == 'in' and head == 'conv'")
    expected = (table["label"] == table["predicted"]).mean()
    assert found["in_domain"]["rgb"]["accuracy"] == pytest.approx(expected, abs=1e-6)


def test_tables_for_reading_and_plotting_agree(workspace):
    compare.main()
    cells, lifts, depth, accuracy = (
        pd.read_csv(f"metrics/{name}.csv") for name in ("comparison", "lifts", "depth", "accuracy")
    )
    assert list(accuracy) == ["domain", "head", "representation", "layer", "view", "accuracy", "low", "high"]
    means = cells[cells["seed"] == "mean"]
    np.testing.assert_array_equal(accuracy["low"], means["accuracy_low"])
    assert accuracy.notna().all(axis=None) and (accuracy["low"] <= accuracy["high"]).all()
    keys = ["domain", "head", "representation", "layer"]
    ridge = accuracy[accuracy["head"] == "ridge"].merge(depth, on=keys, suffixes=("", "_by_depth"))
    np.testing.assert_array_equal(ridge["low"], ridge["accuracy_low"])
    same = lifts[lifts["view"] == "primary"].merge(
        means.rename(columns={"representation": "over", "layer": "over_layer"}),
        on=["domain", "head", "over", "over_layer"],
        suffixes=("", "_in_cells"),
    )
    assert len(same) == 2 * 4 * 3
    for column in ("lift", "lift_low", "lift_high"):
        np.testing.assert_array_equal(same[column], same[f"{column}_in_cells"])


def test_confusion_holds_a_row_a_test_image_of_the_first_seeds(workspace):
    compare.main()
    found = pd.read_csv("data/comparison/confusion/in/random.csv", keep_default_na=False)
    table = pd.read_csv("data/probes/random/predictions.csv", keep_default_na=False)
    table = table.query("domain == 'in' and head == 'conv' and layer == @PRIMARY and seed == 0").sort_values("image")
    assert list(found) == ["actual", "predicted"] and len(found) == 60
    assert found["actual"].tolist() == table["label"].tolist()
    assert found["predicted"].tolist() == table["predicted"].tolist()


def test_a_second_run_writes_the_same_bytes_over_read_only_outputs(workspace):
    compare.main()
    first = written()
    for path in first:
        Path(path).chmod(0o444)
    compare.main()
    assert written() == first


def test_what_is_no_longer_compared_leaves_no_file(workspace):
    compare.main()
    change_representations(latents=["colorization"])
    compare.main()
    assert not Path("data/comparison/confusion/in/random.csv").exists()


def test_the_table_is_printed(workspace, capsys):
    compare.main()
    text = capsys.readouterr().out
    assert text.startswith("Does colourising help with ") and f" of {PRETRAIN_IMAGES} photographs" in " ".join(
        text.split()
    )
    assert "Chance: 25.0 % (4 classes)." in text
    assert all(f"\n  {name} " in text for name in PIXELS | ENCODERS)
    assert "Holm" in text and "forgotten" not in text


@pytest.mark.parametrize("latents", [["random"], []])
def test_without_colorization_there_are_no_lifts(workspace, latents):
    change_representations(latents=latents)
    compare.main()
    found = json.loads(Path("metrics/comparison.json").read_text())
    assert set(found["in_domain"]) == {"chance", *PIXELS, *latents}
    assert pd.read_csv("metrics/lifts.csv").empty


def test_with_swapped_the_effect_of_having_seen_the_classes_is_told_and_nothing_else_changes(workspace, capsys):
    compare.main()
    assert "seen? Not tested. It takes the control swapped" in " ".join(capsys.readouterr().out.split())
    before = written()
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["pretext"]["controls"] = ["random", "reconstruction", "swapped"]
    params["probe"]["representations"]["latents"] = [*ENCODERS, "swapped"]
    Path("params.yaml").write_text(yaml.safe_dump(params))
    rng = np.random.default_rng(0)
    write_crossover("data/probes", "swapped", {task: rng.random((1, 2, 60)) < 0.6 for task in ("out", "matched")})
    compare.main()
    changed = {path for path, content in written().items() if before.get(path) != content}
    assert changed == {"metrics/seen_classes.csv", "metrics/comparison.json", "data/comparison/takeaways.csv"}
    table = pd.read_csv("metrics/seen_classes.csv", keep_default_na=False)
    effect = table[table["quantity"] == "effect"].iloc[0]
    found = json.loads(Path("metrics/comparison.json").read_text())["seen_classes"]
    assert found["effect"] == float(effect["value"])
    assert set(found["swapped"]) == set(found["colorization"]) == {"seen", "unseen"}
    assert all(np.isfinite(value) for value in found.values() if not isinstance(value, dict))
    assert "classes were seen" in " ".join(capsys.readouterr().out.split())
    # The accuracy of domain `out` is the one of the other tables.
    cells = pd.read_csv("metrics/comparison.csv").query("domain == 'out' and head == 'conv' and seed == 'mean'")
    cell = cells[(cells["representation"] == "colorization") & (cells["layer"] == PRIMARY)].iloc[0]
    own = table[(table["representation"] == "colorization") & (table["task"] == "out")].iloc[0]
    assert (own["value"], own["low"], own["high"]) == tuple(cell[["accuracy", "accuracy_low", "accuracy_high"]])


def test_what_is_fine_tuned_stands_beside_the_probes_and_changes_nothing_of_them(workspace, capsys):
    compare.main()
    before = {path: Path(path).read_text() for path in written() if path.endswith(".csv")}
    assert "Fine-tuned" not in capsys.readouterr().out
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["finetune"]["representations"] = {"pixels": ["rgb"], "latents": ["random", "colorization"]}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for number, name in enumerate(("rgb", "random", "colorization")):
        write_finetuned("data/probes", name, 0.3 + 0.2 * number, rng=number)
    compare.main()
    for path, text in before.items():
        rows = [row for row in Path(path).read_text().splitlines() if ",finetune," not in row]
        if Path(path).name != "labels_saved.csv":
            assert rows == text.splitlines()
    assert len(pd.read_csv("metrics/labels_saved.csv")) == 2 * 2 * 2
    found = json.loads(Path("metrics/comparison.json").read_text())["out_of_domain"]["finetune"]
    assert set(found) == {"rgb", "random", "colorization"} and 0.5 < found["colorization"]["accuracy"] < 0.9
    assert "Fine-tuned end to end on all labels: rgb " in capsys.readouterr().out


def test_a_listed_representation_without_findings_stops_the_stage_before_it_writes(workspace):
    Path("data/probes/random/predictions.csv").unlink()
    with pytest.raises(StageError, match="lists 'random'"):
        compare.main()
    assert not written()
