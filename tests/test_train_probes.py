"""The stages train_probes and train_pixel_probes: same protocol, same files."""

import inspect
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stages import train_pixel_probes, train_probes
from stages.probing import few_shot
from stages.probing.heads import conv, knn, linear, ridge
from stages.runtime.errors import StageError

PROJECT = Path(__file__).parents[1]
TINY = {
    "seeds": 2,
    "epochs": 2,
    "batch_size": 8,
    "channels": [4],
    "learning_rates": [0.01, 0.001],
    "precision": "float32",
    "linear_grid": 2,
    "linear_c": [0.1, 1.0],
    "knn_k": [1, 5],
    "shots": [1, 5, 25],
    "draws": 2,
    "ridge_alphas": [1.0, 100.0],
}
LAYERS = {"down_0": (8, 32), "down_1": (4, 16), "latent": (4, 8)}  # channels and edge as stored
CLASSES = {"in": ["apple", "cake", "stew"], "out": ["bread", "tart"]}
MATCHED = ["apple", "stew"]
IMAGES = {"probe": 6, "validation": 4, "test": 3}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project's root with a manifest, Lab arrays and latents of five classes."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    params["probe"] |= TINY
    params["lab"]["image_size"] = 32
    params["model"] |= {"block_out_channels": [32, 64, 64], "norm_num_groups": 8}
    params["pretext"]["seeds"] = 2
    params["latents"] |= {"layers": list(LAYERS), "features": 8 * 16 * 16}
    params["compare"]["primary"]["layer"] = "down_1"
    Path("params.yaml").write_text(yaml.safe_dump(params))
    rows = [
        (f"{label}/{subset}{number}", label, domain, subset, str(int(label in MATCHED)))
        for domain, labels in CLASSES.items()
        for label in labels
        for subset, count in IMAGES.items()
        for number in range(count)
    ]
    manifest = pd.DataFrame(sorted(rows), columns=["image", "label", "domain", "subset", "matched"])
    rng = np.random.default_rng(0)
    for folder in ("split", "lab", *latents_folders()):
        Path("data", folder).mkdir(parents=True, exist_ok=True)
    manifest.to_csv("data/split/manifest.csv", index=False)
    for subset in IMAGES:
        count, views = (manifest["subset"] == subset).sum(), 2 if subset == "probe" else 1
        np.save(f"data/lab/{subset}.npy", rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8))
        for folder, (channels, side) in latents_folders().items():
            latents = rng.normal(size=(count, views, channels, side, side)).astype(np.float16)
            np.save(f"data/{folder}/{subset}.npy", latents)
    return tmp_path


def latents_folders() -> dict[str, tuple[int, int]]:
    """Where a layer lies, below data/, and its channels and edge."""
    top = Path("latents/colorization")
    return {
        (top / seed / ("" if layer == "latent" else layer)).as_posix(): shape
        for seed in ("", "seed_1")
        for layer, shape in LAYERS.items()
    }


def start(stage, monkeypatch, name):
    monkeypatch.setattr(sys, "argv", [stage.__name__, name])
    stage.main()
    return contents(Path("data/probes", name))


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


HEADERS = {
    "predictions.csv": "domain,layer,head,pretraining_seed,seed,image,label,predicted,top5,loss",
    "curves.csv": "domain,layer,head,pretraining_seed,seed,learning_rate,epoch,train_loss,validation_loss,"
    "validation_accuracy",
    "choices.csv": "domain,layer,head,pretraining_seed,setting,value,validation_accuracy,validation_loss,chosen",
    "layers.csv": "domain,layer,order,features,validation_accuracy,cv_accuracy,chosen",
    "few_shot.csv": "domain,layer,pretraining_seed,shots,labels,draw,alpha,validation_accuracy,test_accuracy",
}
CROSSOVER = [f"crossover/{table}.csv" for table in ("predictions", "curves", "choices")]


def check_tables(files, name):
    """The columns that other stages read, no gaps, and hits in step with their table."""
    assert {file: files[file].decode().splitlines()[0] for file in HEADERS} == HEADERS
    found = {file: pd.read_csv(Path("data/probes", name, file)) for file in HEADERS}
    assert not any(table.isna().any(axis=None) for table in found.values())
    few_shot = found["few_shot.csv"]
    assert set(few_shot["shots"]) == {"1", "5", "all"}  # 25 are more than there are
    for (domain, layer), rows in few_shot.groupby(["domain", "layer"]):
        hits = np.load(Path("data/probes", name, "few_shot", f"{domain}-{layer}.npy"))
        assert hits.shape == (len(rows), 3 * len(CLASSES[domain]))
        np.testing.assert_allclose(hits.mean(axis=1), rows["test_accuracy"], atol=1e-5)
    assert not list(Path("data/probes").glob(".*"))
    return found


@pytest.mark.parametrize("name", ["rgb", "lightness", "rgb_small", "lightness_small"])
def test_pixels_are_one_layer_and_leave_their_conv_probe(workspace, monkeypatch, name):
    files = start(train_pixel_probes, monkeypatch, name)
    hits = [f"few_shot/{domain}-pixels.npy" for domain in CLASSES]
    probe = ["conv.json", "conv-in.safetensors", "conv-out.safetensors"]
    assert sorted(files) == sorted([*HEADERS, *CROSSOVER, *hits, *probe])
    found = check_tables(files, name)
    assert len(found["predictions.csv"]) == 5 * 3 * (2 + 1 + 1 + 1)
    assert len(found["curves.csv"]) == 2 * (2 + 1) * 2  # domains, fits (two rates, one more seed), epochs
    sides = {"rgb": 16, "lightness": 32, "rgb_small": 8, "lightness_small": 8}  # 3 x 32 x 32 is above the limit
    assert set(found["layers.csv"]["features"]) == {(3 if "rgb" in name else 1) * sides[name] ** 2}
    for file in ("predictions.csv", "choices.csv", "layers.csv", "few_shot.csv", "curves.csv"):
        assert set(found[file]["layer"]) == {"pixels"}


def test_the_matched_classes_are_probed_by_one_head_on_one_layer_and_swapped_in_nothing_but_both_tasks(
    workspace, monkeypatch
):
    layer = yaml.safe_load(Path("params.yaml").read_text())["compare"]["primary"]["layer"]
    shutil.copytree("data/latents/colorization", "data/latents/swapped")
    assert sorted(start(train_probes, monkeypatch, "swapped")) == sorted(CROSSOVER)
    start(train_probes, monkeypatch, "colorization")
    own, swapped = (pd.read_csv(f"data/probes/{name}/{CROSSOVER[0]}") for name in ("colorization", "swapped"))
    assert set(own["domain"]) == {"matched"} and set(swapped["domain"]) == {"out", "matched"}
    assert set(own["label"]) == set(MATCHED)
    for table in (own, swapped):
        assert set(zip(table["layer"], table["head"], strict=True)) == {(layer, "conv")}
        assert set(table["pretraining_seed"]) == set(table["seed"]) == {0, 1}
    # The same features, so the same answers, in domain `out` as in the full protocol.
    pd.testing.assert_frame_equal(own, swapped[swapped["domain"] == "matched"].reset_index(drop=True))
    full = pd.read_csv("data/probes/colorization/predictions.csv").query("domain == 'out' and head == 'conv'")
    full = full[full["layer"] == layer].reset_index(drop=True)
    pd.testing.assert_frame_equal(full, swapped[swapped["domain"] == "out"].reset_index(drop=True))


def test_an_encoder_has_all_its_layers_and_pretraining_seeds_judged(workspace, monkeypatch):
    files = start(train_probes, monkeypatch, "colorization")
    found = check_tables(files, "colorization")
    layers = found["layers.csv"]
    assert layers["layer"].tolist() == list(LAYERS) * 2
    assert layers["features"].tolist() == [2048, 1024, 256] * 2  # down_0 pooled from 8 x 32 x 32
    assert layers.groupby("domain")["chosen"].sum().eq(1).all()
    best = layers[layers["chosen"] == 1].set_index("domain")["layer"]
    for (domain, layer), rows in found["predictions.csv"].groupby(["domain", "layer"]):
        heads = {"conv", "linear", "knn", "ridge"} if layer in (best[domain], "down_1", "latent") else {"ridge"}
        assert set(rows["head"]) == heads
    assert set(found["predictions.csv"]["pretraining_seed"]) == {0, 1}
    assert not any("safetensors" in file for file in files)


def test_a_layer_and_a_pretraining_seed_are_read_from_their_own_arrays(workspace, monkeypatch):
    def chosen():
        start(train_probes, monkeypatch, "colorization")
        choices = pd.read_csv("data/probes/colorization/choices.csv").query("head == 'ridge'")
        return {place: rows.to_csv(index=False) for place, rows in choices.groupby(["layer", "pretraining_seed"])}

    before = chosen()
    for folder, place in (("down_1", ("down_1", 0)), ("seed_1", ("latent", 1)), ("seed_1/down_0", ("down_0", 1))):
        path = Path("data/latents/colorization", folder, "validation.npy")
        np.save(path, -np.load(path))
        after = chosen()
        assert {key for key in before if before[key] != after[key]} == {place}
        before = after


@pytest.mark.parametrize(("stage", "name"), [(train_probes, "colorization"), (train_pixel_probes, "rgb_small")])
def test_a_stage_writes_the_same_bytes_again(workspace, monkeypatch, stage, name):
    first = start(stage, monkeypatch, name)
    assert start(stage, monkeypatch, name) == first


def test_the_study_s_seed_reaches_the_probes_and_the_draws(workspace, monkeypatch):
    first = start(train_pixel_probes, monkeypatch, "rgb_small")
    params = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(params | {"seed": 1}))
    other = start(train_pixel_probes, monkeypatch, "rgb_small")
    assert {file for file in HEADERS if first[file] == other[file]} <= {"layers.csv"}  # its folds are drawn, too


@pytest.mark.parametrize("stage", [train_probes, train_pixel_probes])
def test_a_representation_of_another_name_is_refused(workspace, monkeypatch, capsys, stage):
    with pytest.raises(SystemExit) as ended:
        start(stage, monkeypatch, "hue")
    assert ended.value.code == 2
    assert "invalid choice: 'hue'" in capsys.readouterr().err


@pytest.mark.parametrize(("stage", "name"), [(train_probes, "colorization"), (train_pixel_probes, "rgb")])
def test_arrays_of_another_split_are_refused_and_the_old_output_stays(workspace, monkeypatch, stage, name):
    before = start(stage, monkeypatch, name)
    for folder in ("data/lab", "data/latents/colorization/seed_1/down_1"):
        array = np.load(f"{folder}/test.npy")
        np.save(f"{folder}/test.npy", array[:-1])
    with pytest.raises(StageError, match="has 14 rows, the manifest lists 15 test images"):
        start(stage, monkeypatch, name)
    assert contents(Path("data/probes", name)) == before


def test_missing_latents_are_named(workspace, monkeypatch):
    with pytest.raises(StageError, match=r"data/latents/random/down_0/probe.npy is missing"):
        start(train_probes, monkeypatch, "random")


@pytest.mark.parametrize("place", ["down_1/test.npy", "seed_1/probe.npy", "seed_1/down_0/validation.npy"])
def test_a_missing_layer_or_pretraining_seed_is_named(workspace, monkeypatch, place):
    Path("data/latents/colorization", place).unlink()
    with pytest.raises(StageError, match=f"data/latents/colorization/{place} is missing"):
        start(train_probes, monkeypatch, "colorization")


def test_as_a_program_a_refusal_is_one_line_and_exit_status_1(workspace, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train_probes", "random"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(PROJECT / "stages" / "train_probes.py"), run_name="__main__")
    assert str(ended.value.code).startswith("error: data/latents/random/down_0/probe.npy is missing")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (conv, "fit_conv_probe"),
        (linear, "fit_linear_probe"),
        (knn, "fit_knn_probe"),
        (ridge, "fit_ridge"),
        (few_shot, "fit_ridge"),
    ],
)
def test_a_fit_is_at_most_four_calls_below_the_stage(workspace, monkeypatch, module, name):
    callers, original = [], getattr(module, name)

    def recorded(*args, **options):
        functions = [frame.function for frame in inspect.stack()[1:]]
        callers.append([function for function in functions[: functions.index("main")] if "<" not in function])
        return original(*args, **options)

    monkeypatch.setattr(module, name, recorded)
    start(train_pixel_probes, monkeypatch, "rgb_small")
    assert callers
    assert max(map(len, callers)) + 1 <= 4  # the fit itself is the last call


def test_an_added_head_is_one_file_and_one_entry_for_the_probes_and_for_the_comparison(workspace):
    shutil.copytree(PROJECT / "stages", "stages", ignore=shutil.ignore_patterns("__pycache__"))
    blocks = (PROJECT / "docs/extending.md").read_text().split("```")
    (code,) = [block.removeprefix("python\n") for block in blocks if "# stages/probing/heads/nearest_mean.py" in block]
    Path("stages/probing/heads/nearest_mean.py").write_text(code)
    tables = Path("stages/probing/tables.py")
    entry = 'HEADS = ("conv", "linear", "knn", "ridge"'
    assert entry in tables.read_text()
    tables.write_text(tables.read_text().replace(entry, f'{entry}, "nearest_mean"'))
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["probe"]["representations"] = {"pixels": ["rgb_small"], "latents": []}
    params["finetune"]["representations"] = {"pixels": [], "latents": []}
    params["evaluate"]["probe"] = "rgb_small"
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for command in (["train_pixel_probes", "rgb_small"], ["compare"]):
        stage = subprocess.run(
            [sys.executable, "-m", f"stages.{command[0]}", *command[1:]], capture_output=True, text=True
        )
        assert stage.returncode == 0, stage.stderr
    comparison = pd.read_csv("metrics/comparison.csv")
    assert list(dict.fromkeys(comparison["head"])) == ["conv", "linear", "knn", "ridge", "nearest_mean"]
    choices = pd.read_csv("data/probes/rgb_small/choices.csv").query("head == 'nearest_mean'")
    assert set(choices["setting"]) == {"temperature"} and choices.groupby("domain")["chosen"].sum().eq(1).all()
