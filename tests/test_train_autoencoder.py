"""The training stages: what they may see, and what they start from."""

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stages import count_colors, prepare_objectives, train_autoencoder, train_control
from stages.controls.kmeans_patches import CENTROIDS
from stages.dataset.manifest import SUBSETS, ManifestRow, write_manifest
from stages.formats.encoder import load_encoder
from stages.models.autoencoder import Autoencoder
from stages.prepare_objectives import WITH_ITS_COMPUTE
from stages.runtime.params import load_params
from stages.runtime.schema import Control, Objective
from tests.project import make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with Lab arrays of 4 images a subset and class, of two classes in each domain."""
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    rows = [
        ManifestRow(f"{label}/{subset}{number}", label, domain, subset, str(int(domain == "in")))
        for domain, labels in (("in", "ab"), ("out", "cd"))
        for label in labels
        for subset in SUBSETS[domain]
        for number in range(4)
    ]
    write_manifest(rows)
    rng = np.random.default_rng(0)
    Path("data/lab").mkdir()
    for subset in SUBSETS["in"]:
        count = sum(row.subset == subset for row in rows)
        np.save(f"data/lab/{subset}.npy", rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8))
    Path("data/held_out").mkdir()
    for control in get_args(Control):
        count = 8 if control == "swapped" else 0
        np.save(f"data/held_out/{control}.npy", rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8))
    prepare(project, monkeypatch, pretext={"controls": [*get_args(Control)]})
    return project


def prepare(project, monkeypatch, **changes) -> None:
    """Change parameters, and make of them what training depends on."""
    project.change(changes)
    run(monkeypatch, count_colors)
    run(monkeypatch, prepare_objectives)


def run(monkeypatch, stage, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    stage.main()


def outputs() -> dict[str, bytes]:
    folders = [Path("data/encoders"), Path("data/training")]
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def spoil(subset: str, domain_rows: slice) -> None:
    array = np.load(f"data/lab/{subset}.npy")
    array[domain_rows] = 255 - array[domain_rows]
    np.save(f"data/lab/{subset}.npy", array)


def test_held_out_classes_choose_nothing(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    before = outputs()
    spoil("validation", np.s_[8:])  # the images of classes c and d
    spoil("test", np.s_[:])
    run(monkeypatch, train_autoencoder, "colorization")
    assert outputs() == before
    spoil("validation", np.s_[:8])
    run(monkeypatch, train_autoencoder, "colorization")
    assert outputs() != before


def test_random_is_what_every_encoder_was_before_training(project, monkeypatch):
    run(monkeypatch, train_control, "random")
    saved = load_file("data/encoders/random/model.safetensors")
    params = load_params()
    torch.manual_seed(params.seed)
    fresh = Autoencoder("lightness", 2, [8, 8, 8], 1, params.model.latent_channels, 4).state_dict()
    encoder = [name for name in saved if name.startswith(("encoder.", "to_latents."))]
    assert encoder
    assert all(torch.equal(saved[name], fresh[name]) for name in encoder)


def test_folders_hold_what_the_readme_says(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    assert sorted(path.name for path in Path("data/encoders/colorization").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    series = {path.relative_to("data/training/colorization").as_posix() for path in Path("data/training").rglob("*.*")}
    assert series == {
        f"plots/metrics/{name}.tsv"
        for name in ("learning_rate", *(f"{part}/{loss}" for part in ("train", "validation") for loss in
                     ("loss", "pixel", "lpips")))
    }  # fmt: skip


def objectives() -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in sorted(Path("data/objectives").rglob("*.json"))}


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"loss": {"lpips_weight": 0.5}}, {"colorization/train", "swapped/train"}),
        ({"loss": {"adversarial_weight": 0.1}}, {"colorization/train", "swapped/train"}),
        (
            {"model": {"chroma_stride": 2}},
            {f"{name}/train" for name in ("colorization", "swapped", *WITH_ITS_COMPUTE)},
        ),
        ({"classification": {"rebalance": 1.0}}, {"color_classification/train", "split_brain/train"}),
        ({"classification": {"temperature": 0.5}}, {"color_classification/paint", "split_brain/paint"}),
        ({"split_brain": {"kind": "regression"}}, {"split_brain/train", "split_brain/paint"}),
        ({"split_brain": {"width": 1.0}}, {"split_brain/train"}),
        ({"pretext": {"lightness_offset": True}}, {f"{name}/train" for name in (*get_args(Objective), "swapped")}),
        ({"classification": {"bin_size": 20.0}}, {"color_classification/train", "split_brain/train"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",  # a set's order differs between processes
)
def test_a_parameter_changes_what_depends_on_it_and_no_other_objective(project, monkeypatch, changes, changed):
    prepare(project, monkeypatch, pretext={"objectives": ALL_OBJECTIVES})
    before = objectives()
    prepare(project, monkeypatch, **changes)
    after = objectives()
    assert len(after) == 6 + len(get_args(Control))
    different = {path for path in after if after[path] != before[path]}
    assert different == {f"data/objectives/{name}.json" for name in changed}


ALL_OBJECTIVES = list(get_args(Objective))


def test_regression_in_split_brain_takes_the_pixel_loss_of_colorization(project, monkeypatch):
    prepare(
        project,
        monkeypatch,
        pretext={"objectives": ALL_OBJECTIVES, "controls": ["random"]},
        split_brain={"kind": "regression"},
    )
    for changes, also in (
        ({"loss": {"smooth_l1_beta": 2.0}}, True),
        ({"model": {"chroma_stride": 2}}, True),
        ({"loss": {"lpips_weight": 0.5}}, False),
    ):
        before = objectives()
        prepare(project, monkeypatch, **changes)
        changed = {path for path, content in objectives().items() if content != before[path]}
        both = {f"data/objectives/{name}/train.json" for name in ("colorization", "split_brain")}
        assert changed == (both if also else {"data/objectives/colorization/train.json"})


def test_only_an_offset_depends_on_what_lightness_says(project, monkeypatch):
    prepare(project, monkeypatch, pretext={"objectives": ALL_OBJECTIVES})

    def changed_by_other_counts() -> set[str]:
        before, path = objectives(), Path("data/colors/joint.npy")
        np.save(path, np.load(path) + 1)
        run(monkeypatch, prepare_objectives)
        return {path.split("/")[2] for path, content in objectives().items() if content != before[path]}

    assert changed_by_other_counts() == set()
    prepare(project, monkeypatch, pretext={"lightness_offset": True})
    assert changed_by_other_counts() == {"color_classification", "split_brain"}
    prepare(project, monkeypatch, split_brain={"kind": "regression"})
    assert changed_by_other_counts() == {"color_classification", "split_brain"}


@pytest.mark.parametrize(
    ("kind", "lightness_offset"), [("classification", False), ("classification", True), ("regression", True)]
)
def test_every_encoder_trains_and_tells_what_it_is(project, monkeypatch, kind, lightness_offset):
    pretext = {"objectives": ALL_OBJECTIVES, "controls": list(get_args(Control)), "lightness_offset": lightness_offset}
    prepare(project, monkeypatch, pretext=pretext, split_brain={"kind": kind})
    painting = {}
    for stage, names in ((train_autoencoder, ALL_OBJECTIVES), (train_control, get_args(Control))):
        for name in names:
            run(monkeypatch, stage, name)
            model = load_encoder(f"data/encoders/{name}")
            painting[name] = model.predicts_ab
            shape = (1, CENTROIDS, 2, 2) if name == "kmeans_patches" else (1, 4, 8, 8)
            assert model.encode(torch.zeros(1, 3, 32, 32)).shape == shape
    assert {name for name, paints in painting.items() if paints} == {*ALL_OBJECTIVES, "swapped"}


def test_a_changed_loss_changes_what_swapped_depends_on_and_no_other_control(project, monkeypatch):
    before = objectives()
    loss = Path("stages/losses/pixel.py")
    loss.write_text(loss.read_text() + "# edited\n")
    prepare(project, monkeypatch)
    assert {path for path, content in objectives().items() if content != before[path]} == {
        "data/objectives/swapped/train.json"
    }


def test_swapped_differs_from_the_first_objective_by_its_images_alone(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    run(monkeypatch, train_control, "swapped")
    weights = {name: Path(f"data/encoders/{name}/model.safetensors") for name in ("colorization", "swapped")}
    before = {name: path.read_bytes() for name, path in weights.items()}
    assert before["swapped"] != before["colorization"]
    # Give the held-out classes c and d the images of the matched ones, a and b.
    np.save("data/held_out/swapped.npy", np.load("data/lab/pretrain.npy"))
    validation = np.load("data/lab/validation.npy")
    np.save("data/lab/validation.npy", np.concatenate((validation[:8], validation[:8])))
    run(monkeypatch, train_control, "swapped")
    assert weights["swapped"].read_bytes() == before["colorization"]
    assert "objective: colorization" in Path("data/encoders/swapped/README.md").read_text()


def test_several_pretraining_seeds_lie_beside_the_first_and_leave_it_alone(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    once = outputs()
    project.change({"pretext": {"seeds": 2}})
    run(monkeypatch, train_autoencoder, "colorization")
    twice = outputs()
    assert once.items() <= twice.items()
    second = "data/encoders/colorization/seed_1/model.safetensors"
    assert twice[second] != once["data/encoders/colorization/model.safetensors"]
    assert "data/training/colorization/seed_1/plots/metrics/validation/loss.tsv" in twice
    assert not list(Path(".dvc/tmp/checkpoints").iterdir())


def test_a_critic_is_trained_where_it_has_a_weight(project, monkeypatch):
    run(monkeypatch, train_autoencoder, "colorization")
    before = outputs()
    prepare(project, monkeypatch, loss={"adversarial_weight": 0.1})
    run(monkeypatch, train_autoencoder, "colorization")
    after = outputs()
    assert "data/training/colorization/plots/metrics/train/critic.tsv" in after.keys() - before.keys()
    weights = "data/encoders/colorization/model.safetensors"
    assert after[weights] != before[weights]


def test_supervision_sees_in_domain_labels_only_and_for_as_many_steps(project, monkeypatch):
    prepare(project, monkeypatch, pretext={"controls": ["random", "supervised"]})
    run(monkeypatch, train_control, "supervised")
    before = outputs()
    spoil("probe", np.s_[8:])  # the images of classes c and d
    spoil("pretrain", np.s_[:])
    run(monkeypatch, train_control, "supervised")
    assert outputs() == before
    spoil("probe", np.s_[:8])
    run(monkeypatch, train_control, "supervised")
    assert outputs() != before
    series = Path("data/training/supervised/plots/metrics/validation/accuracy.tsv").read_text().splitlines()
    # 8 pretraining images and 8 probe images: as many epochs as of pretraining, 1.
    assert len(series) - 1 == load_params().train.epochs


def test_a_pretext_without_a_decoder_has_more_epochs_and_its_card_says_why(project, monkeypatch):
    epochs = {}
    for stride in (1, 4):
        prepare(project, monkeypatch, model={"chroma_stride": stride})
        run(monkeypatch, train_control, "rotation")
        series = Path("data/training/rotation/plots/metrics/validation/loss.tsv").read_text().splitlines()
        epochs[stride] = len(series) - 1
        card = Path("data/encoders/rotation/README.md").read_text()
        assert f"It was trained for {epochs[stride]} epochs rather than `train.epochs`" in card
    # A decoder that stops at a quarter of the resolution costs less.
    assert epochs[1] > epochs[4] > load_params().train.epochs
