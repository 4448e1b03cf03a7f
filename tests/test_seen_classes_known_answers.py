"""The crossover on two worlds whose answer is known, by the stages themselves: see tests/textured.py.

Three classes are held out and three are seen. In one world both sets have the same textures: an encoder that saw the
one set has seen all that the other has, so it cannot matter much which it saw. In the other world the seen classes
differ in the wave across alone, the held-out ones in the wave down alone: each encoder learns the wave that its own
classes ask for, and the effect of having seen them is large.
"""

from pathlib import Path

import pandas as pd
import pytest

from stages.food101.archive import Meta
from stages.food101.split import split_images
from stages.study.seen_classes import IMAGES, MATTERS
from tests.project import make_project
from tests.textured import STUDY, write_archive

pytestmark = pytest.mark.slow  # four pretrainings, some minutes

SEED = 0
CLASSES = [f"class_{number}" for number in range(6)]
TRAIN, TEST = 240, 120  # images of each class
ACROSS, DOWN = ((0, 0), (1, 0), (2, 0)), ((0, 0), (0, 1), (0, 2))  # of CLASSES in tests.textured
MARGIN = 15.0  # percentage points: an accuracy of 360 test images and one pretraining is known to some 5
CHANGES = {
    "seed": SEED,
    "split": {"held_out_classes": 3, "probe_fraction": 0.05, "validation_fraction": 0.1},
    "pretext": {"objectives": ["colorization"], "controls": ["swapped"], "seeds": 1},
    "train": {"epochs": 10},
    "probe": {"representations": {"pixels": ["rgb_small"], "latents": ["swapped", "colorization"]}, "epochs": 30},
    "compare": {"equivalence": MARGIN},
}
STAGES = [
    *((name,) for name in ("check_params", "download", "split", "convert_to_lab", "convert_held_out", "count_colors")),
    *(("prepare_objectives",), ("train_autoencoder", "colorization"), ("train_control", "swapped")),
    *((stage, name) for name in ("swapped", "colorization") for stage in ("extract_latents", "train_probes")),
    *(("train_pixel_probes", "rgb_small"), ("compare",)),
]


def textures(seen, held_out) -> dict[str, tuple[int, int]]:
    """By class, its texture: the held-out classes are those that the split draws with `SEED`."""
    train, test = (
        {label: [f"{label}/{number}" for number in numbers] for label in CLASSES}
        for numbers in (range(TRAIN), range(TRAIN, TRAIN + TEST))
    )
    rows = split_images(Meta(CLASSES, train, test), SEED, **CHANGES["split"])
    out = {row.label for row in rows if row.domain == "out"}
    parts = (sorted(set(CLASSES) - out), seen), (sorted(out), held_out)
    return {label: texture for labels, own in parts for label, texture in zip(labels, own, strict=True)}


@pytest.fixture(scope="module", params=["same", "own"])
def effect(request, tmp_path_factory) -> tuple[str, pd.Series]:
    """Which world, and its effect of having seen the classes."""
    folder = tmp_path_factory.mktemp(request.param)
    archive = folder / "textures.tar.gz"
    classes = textures(ACROSS, ACROSS if request.param == "same" else DOWN)
    write_archive(archive, train=TRAIN, test=TEST, taught=True, seed=SEED, classes=classes)
    project = make_project(folder / "project")
    project.change(STUDY)
    project.change(CHANGES)
    project.change({"data": {"url": str(archive)}})
    project.run_in_process(STAGES)
    table = pd.read_csv(Path(project.path, "metrics/seen_classes.csv"))
    rows = table[(table["quantity"] == "effect") & (table["accounts_for"] == IMAGES)]
    return request.param, rows.iloc[0]


def test_it_is_within_the_margin_where_the_textures_are_the_same_and_found_where_they_are_not(effect):
    world, found = effect
    if world == "same":
        assert found["p_equivalence"] < 0.05
        assert abs(found["value"]) < MARGIN / 100
    else:
        assert found["verdict"] == MATTERS
        assert found["low"] > 0
