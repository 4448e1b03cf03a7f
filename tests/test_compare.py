import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import compare
from stages.comparison.predictions import COLUMNS
from stages.shared.errors import StageError

PROJECT = Path(__file__).parents[1]
ARMS = {"rgb": 0.5, "lightness": 0.3, "random": 0.35, "colorization": 0.6}
CLASSES = {"in": ["apple", "cake", "pie", "stew"], "out": ["bread", "tart"]}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project's root with four representations' predictions, and a folder that nobody lists."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    representations = {"pixels": ["rgb", "lightness"], "latents": ["random", "colorization"]}
    params["probe"]["representations"] = representations
    params["compare"]["resamples"] = 200
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for number, (name, accuracy) in enumerate((ARMS | {"forgotten": 0.9}).items()):
        rng = np.random.default_rng(number)
        rows = []
        for domain, labels in CLASSES.items():
            for head, seed in (("conv", 0), ("conv", 1), ("linear", 0)):
                for image in range(60):
                    label = labels[image % len(labels)]
                    wrong = labels[(image + 1) % len(labels)]
                    hit = rng.random() < accuracy
                    key = (domain, head, seed, f"{label}/{image:03}", label)
                    rows.append((*key, label if hit else wrong, 1, 1.5 - hit))
        table = pd.DataFrame(rows, columns=COLUMNS)
        Path("data/probes", name).mkdir(parents=True)
        table.to_csv(f"data/probes/{name}/predictions.csv", index=False)
        Path(f"data/probes/{name}/curves.csv").write_text(
            "domain,head,seed,learning_rate,epoch,train_loss,validation_loss,validation_accuracy\n"
            "in,conv,0,0.01,1,1.0,1.0,0.5\nout,conv,0,0.01,1,1.0,1.0,0.5\n"
        )
        Path(f"data/probes/{name}/choices.csv").write_text(
            "domain,head,setting,value,validation_accuracy,validation_loss,chosen\n"
            "in,conv,learning_rate,0.01,0.5,1.0,1\nout,conv,learning_rate,0.01,0.5,1.0,1\n"
        )
    return tmp_path


def written() -> dict[str, bytes]:
    paths = sorted([*Path("metrics").rglob("*"), *Path("data/comparison").rglob("*")])
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def test_all_outputs_are_written_and_no_other(workspace):
    compare.main()
    confusion = {f"data/comparison/confusion/{d}/{name}.csv" for d in ("in", "out") for name in ARMS}
    metrics = {f"metrics/{name}" for name in ("comparison.json", "comparison.csv", "accuracy.csv", "accuracy.svg")}
    assert set(written()) == confusion | metrics | {"data/comparison/curves.csv"}


def test_the_headline_says_accuracy_lift_and_chance(workspace):
    compare.main()
    found = json.loads(Path("metrics/comparison.json").read_text())
    lifts = {f"lift_over_{name}" for name in ("rgb", "lightness", "random")}
    assert set(found["in_domain"]) == set(found["out_of_domain"]) == {"chance", *ARMS, *lifts}
    assert (found["in_domain"]["chance"], found["out_of_domain"]["chance"]) == (0.25, 0.5)
    table = pd.read_csv("data/probes/rgb/predictions.csv").query("domain == 'in' and head == 'conv'")
    expected = (table["label"] == table["predicted"]).mean()
    assert found["in_domain"]["rgb"]["accuracy"] == pytest.approx(expected, abs=1e-6)


def test_tables_for_reading_and_plotting_agree(workspace):
    compare.main()
    cells = pd.read_csv("metrics/comparison.csv", dtype={"seed": str})
    accuracy = pd.read_csv("metrics/accuracy.csv")
    assert list(accuracy) == ["domain", "head", "representation", "accuracy", "low", "high"]
    means = cells[cells["seed"] == "mean"]
    np.testing.assert_array_equal(accuracy["low"], means["accuracy_low"])
    assert accuracy.notna().all(axis=None) and (accuracy["low"] <= accuracy["high"]).all()
    assert means.loc[means["representation"] == "colorization", "lift"].isna().all()
    assert set(cells["seed"]) == {"0", "1", "mean"}


def test_confusion_holds_a_row_a_test_image_of_seed_0(workspace):
    compare.main()
    found = pd.read_csv("data/comparison/confusion/in/rgb.csv")
    table = pd.read_csv("data/probes/rgb/predictions.csv").query("domain == 'in' and head == 'conv' and seed == 0")
    assert list(found) == ["actual", "predicted"] and len(found) == 60
    table = table.sort_values("image")
    assert found["actual"].tolist() == table["label"].tolist()
    assert found["predicted"].tolist() == table["predicted"].tolist()


def test_a_second_run_writes_the_same_bytes_over_read_only_outputs(workspace):
    compare.main()
    first = written()
    for path in first:
        Path(path).chmod(0o444)
    compare.main()
    assert written() == first


def test_the_table_is_printed(workspace, capsys):
    compare.main()
    text = capsys.readouterr().out
    assert "Guessing among 4 classes is right in 25.0 % of cases." in text
    assert all(f"\n  {name} " in text for name in ARMS)
    assert "forgotten" not in text


def test_without_colorization_there_are_no_lifts(workspace):
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["probe"]["representations"]["latents"] = ["random"]
    Path("params.yaml").write_text(yaml.safe_dump(params))
    compare.main()
    assert set(json.loads(Path("metrics/comparison.json").read_text())["in_domain"]) == {
        "chance", "rgb", "lightness", "random",
    }  # fmt: skip


def test_a_listed_representation_without_predictions_stops_the_stage_before_it_writes(workspace):
    Path("data/probes/random/predictions.csv").unlink()
    with pytest.raises(StageError, match="lists 'random'"):
        compare.main()
    assert not written()


def test_nothing_to_compare_is_refused(workspace):
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["probe"]["representations"] = {"pixels": [], "latents": []}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(StageError, match="lists nothing to compare"):
        compare.main()
