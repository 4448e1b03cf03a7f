import numpy as np
import pandas as pd
import pytest
import torch

from stages.dataset.manifest import ManifestRow, read_manifest, write_manifest
from stages.finetuning.network import pooled_stats
from stages.finetuning.protocol import finetune_representation
from stages.finetuning.results import write_results
from stages.finetuning.training import Start, finetune
from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.probing.tables import CHOICES, FINETUNED_SHOTS, PREDICTIONS
from stages.runtime.errors import StageError
from stages.runtime.params import load_params
from tests.project import ROOT

CLASSES = {"in": ["apple", "cake"], "out": ["bread", "tart"]}
IMAGES = {"probe": 4, "validation": 2, "test": 3}  # of each class
SETTINGS = {
    "steps": 2, "batch_size": 4, "learning_rates": [1e-3, 1e-2], "precision": "float32", "seeds": 2, "shots": [2, 1],
    "draws": 2,
}  # fmt: skip


def settings(**changes):
    return load_params(ROOT / "profiles/sample.yaml").finetune.model_copy(update=SETTINGS | changes)


def encoder(seed=0):
    torch.manual_seed(seed)
    return Autoencoder("lightness", 2, [4, 4], 1, 2, 2)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        ManifestRow(f"{label}/{subset}{number}", label, domain, subset)
        for subset, count in IMAGES.items()
        for domain, labels in CLASSES.items()
        for label in labels
        for number in range(count)
    ]
    write_manifest(rows)
    rng = np.random.default_rng(0)
    lab8 = {subset: rng.integers(0, 256, (4 * count, 3, 8, 8), dtype=np.uint8) for subset, count in IMAGES.items()}
    return lab8, read_manifest()


def test_a_fit_a_seed_and_draw_and_the_rate_that_validation_chose(world, tmp_path):
    results = finetune_representation(encoder, *world, settings(), 0, pretraining_seeds=2)
    shots = results.few_shot
    keys = ["pretraining_seed", "shots", "draw"]
    expected = [(p, s, d) for p in range(2) for s in (1, 2, "all") for d in range(2)]
    assert list(shots.loc[shots["domain"] == "out", keys].itertuples(index=False, name=None)) == expected
    assert list(shots["labels"][:6]) == [1, 1, 2, 2, 4, 4]
    assert (shots.groupby(["domain", "pretraining_seed", "shots"])["learning_rate"].nunique() == 1).all()
    best = results.choices[results.choices["chosen"] == 1]
    assert len(best) == 4 and len(results.choices) == 8
    of_all = shots[(shots["shots"] == "all") & (shots["draw"] == 0)]
    assert list(of_all["learning_rate"]) == list(best["value"])
    # The hits are those of the predictions, in the order of the table.
    right = (results.predictions["predicted"] == results.predictions["label"]).to_numpy().reshape(2, 4, 6)
    for number, domain in enumerate(CLASSES):
        rows = shots[shots["domain"] == domain]["shots"].to_numpy() == "all"
        np.testing.assert_array_equal(results.hits[domain][rows], right[number])
        np.testing.assert_allclose(results.hits[domain].mean(1), shots.loc[shots["domain"] == domain, "test_accuracy"])

    write_results(tmp_path, results)
    tables = {"predictions": PREDICTIONS, "choices": CHOICES, "few_shot": FINETUNED_SHOTS}
    assert {name: len(table.read(tmp_path / f"{name}.csv")) for name, table in tables.items()} == {
        "predictions": 48, "choices": 8, "few_shot": 24
    }  # fmt: skip
    again = finetune_representation(encoder, *world, settings(), 0, pretraining_seeds=2)
    pd.testing.assert_frame_equal(again.predictions, results.predictions)


def test_test_images_change_nothing_that_is_chosen(world):
    lab8, manifest = world
    first = finetune_representation(encoder, lab8, manifest, settings(), 0, 1)
    other = finetune_representation(encoder, lab8 | {"test": 255 - lab8["test"]}, manifest, settings(), 0, 1)
    pd.testing.assert_frame_equal(first.choices, other.choices)
    chosen = ["shots", "draw", "learning_rate", "validation_accuracy"]
    pd.testing.assert_frame_equal(first.few_shot[chosen], other.few_shot[chosen])
    assert not first.predictions["loss"].equals(other.predictions["loss"])


def test_more_shots_than_a_class_has_are_left_out_and_told(world, capsys):
    results = finetune_representation(encoder, *world, settings(shots=[1, 5], draws=1, seeds=1), 0, 1)
    assert list(results.few_shot["shots"].astype(str)) == ["1", "all", "1", "all"]
    assert "finetune.shots in domain 'in': [5] left out, as the smallest class has 4 labels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rates": [1e30]}, r"diverged at every value of finetune\.learning_rates: 1e\+30"),
    ],
)
def test_refusals_say_what_to_change(world, changes, message):
    with pytest.raises(StageError, match=message):
        finetune_representation(encoder, *world, settings(**changes), 0, 1)


@pytest.mark.parametrize("model", ["lightness", "lab", "split_brain"])
def test_the_encoder_is_trained_end_to_end_and_the_start_stays_as_it_was(model):
    torch.manual_seed(0)
    if model == "split_brain":
        halves = (Autoencoder(*channels, [4, 4], 1, 2, 2) for channels in (("lightness", 2), ("ab", 1)))
        start = SplitBrain(*halves).eval()
    else:
        start = Autoencoder(model, 2, [4, 4], 1, 2, 2).eval()
    before = {name: value.clone() for name, value in start.state_dict().items()}
    lab8 = torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8)
    tuned = finetune(
        Start(start, pooled_stats(start, lab8, "float32")), lab8, torch.tensor([0, 1, 0, 1]), classes=2,
        learning_rate=1e-2, seed=(0,), settings=settings(weight_decay=0.0),
    )  # fmt: skip
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())
    changed = {name for name, value in tuned.encoder.state_dict().items() if not torch.equal(value, before[name])}
    convs_in = {name for name in before if "encoder.conv_in.weight" in name}
    assert (
        len(convs_in) == (2 if model == "split_brain" else 1)
        and convs_in <= changed
        and not any("decoder" in name for name in changed)
    )
