"""The benchmark measures what it says: every row runs, and the straightforward way makes the same thing."""

import importlib
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import peer, roofline, scaling, threads
from benchmarks.__main__ import ROWS
from benchmarks.limits import measure_limits
from benchmarks.machine import describe, slug
from benchmarks.many_images import write_synthetic_archive
from benchmarks.measure import Row, Scale
from benchmarks.models import network, study
from benchmarks.peer import JpegFiles
from benchmarks.pictures import draw_photographs
from benchmarks.straightforward import photograph_to_lab
from benchmarks.table import markdown
from stages.color.lab import decode_lab8
from stages.food101.archive import iterate_images, read_meta
from stages.objectives.colorization import Colorization
from stages.photographs.decoding import photograph_to_lab8
from stages.training.settings import Settings

TINY = Scale(repeats=1, quick=True, gigabytes=0.01)


SLOW_ROWS = ("startup", "training")
# Without `pipeline`, which runs the pipeline.
ROWS_TESTED = [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW_ROWS else []) for name in ROWS if name != "pipeline"
]


@pytest.mark.parametrize("name", ROWS_TESTED)
def test_a_row_runs_and_its_numbers_are_finite(name):
    rows = importlib.import_module(f"benchmarks.rows.{name}").measure(TINY)
    assert rows
    for row in rows:
        assert all(math.isfinite(value) for value in [*row.ours, *row.theirs, row.share or 0])
        assert not row.theirs or len(row.theirs) == len(row.ours)


def test_the_straightforward_way_makes_the_same_lab():
    for content in draw_photographs(3):
        other = photograph_to_lab(content, 128)
        ours = decode_lab8(photograph_to_lab8(content, 128, "crop"))
        assert np.abs(ours - other).mean() < 1  # in units of Lab


def test_a_ratio_says_how_many_times_better():
    faster = Row("rate", "", "images/s", [20.0, 30.0], [10.0, 10.0])
    shorter = Row("time", "", "s", [1.0], [4.0], higher=False)
    assert faster.ratios() == [2, 3] and shorter.ratios() == [4]
    assert faster.as_dict()["ratio"] == [2.5, 2, 3]


def test_the_table_has_a_line_a_row_and_names_no_host(tmp_path):
    machine = describe() | {"limits": measure_limits(quick=True)}
    assert all(value > 0 for value in machine["limits"].values())
    rows = [Row("a row", "2x", "s", [1.5], [3.0], higher=False, limit="a limit", share=0.5).as_dict()]
    text = markdown({"machine": machine, "repeats": 1, "rows": rows})
    assert text.splitlines()[-1] == "| a row | 2x | 1.5 s | 2x (2 to 2) | 50 % of a limit |  |"
    import platform

    assert platform.node() not in str(machine)
    assert slug(machine).replace("-", "").isalnum()


def test_the_roofline_counts_operations_and_bytes_by_hand():
    convolution, norm = torch.nn.Conv2d(8, 16, 3, padding=1, bias=False), torch.nn.GroupNorm(2, 8)
    cost = roofline._cost(convolution, roofline.Layer("Conv2d", "", (8, 10, 10)), 4, 1, "float32")
    assert cost.flops == 3 * 2 * (4 * 16 * 100) * (8 * 9)
    assert cost.bytes == 3 * 4 * (4 * 8 * 100 + 4 * 16 * 100 + 16 * 8 * 9)
    assert cost.limit(cost.flops, 1e30) == pytest.approx(1) and cost.limit(1e30, cost.bytes) == pytest.approx(1)
    cost = roofline._cost(norm, roofline.Layer("GroupNorm", "", (8, 10, 10)), 4, 1, "float32")
    assert (cost.flops, cost.bytes) == (0, 5 * 4 * (4 * 8 * 100))


def test_the_roofline_has_every_layer_and_shares_of_one():
    costs, counts = roofline.measure(16, 1, 1, "float32")
    kinds = {layer.kind for layer in counts}
    assert kinds == {"Conv2d", "GroupNorm", "SiLU", "Linear"}
    modules = [module for module in network(study()).modules() if isinstance(module, roofline.KINDS)]
    assert sum(counts.values()) >= len(modules)  # a SiLU is called more than once
    lines = roofline.markdown(costs, counts, (1e12, 1e11)).splitlines()[2:]
    shares = [float(re.search(r"([\d.]+)%? ?%? \|[^|]*\|$", line)[1]) for line in lines]
    assert sum(shares[:-1]) == pytest.approx(100, abs=1)
    assert shares[-1] == 100


def test_a_synthetic_archive_is_food_101_s_in_all_but_its_photographs(tmp_path):
    write_synthetic_archive(tmp_path / "food-101.tar.gz", 1300)
    meta, photographs = read_meta(tmp_path / "food-101.tar.gz"), dict(iterate_images(tmp_path / "food-101.tar.gz"))
    listed = [image for lists in (meta.train, meta.test) for images in lists.values() for image in images]
    assert len(meta.classes) == 101 and len(photographs) == 1300
    assert sorted(listed) == sorted(photographs)
    assert 0.2 < sum(map(len, meta.test.values())) / 1300 < 0.3
    assert photograph_to_lab8(photographs[listed[0]], 32, "crop").shape == (3, 32, 32)


def test_each_data_stage_is_run_and_measured(tmp_path):
    measured = scaling.measure(tmp_path, 1000, scaling.DATA_STAGES)
    assert list(measured) == list(scaling.DATA_STAGES)
    assert all(min(run) > 0 for run in measured.values())
    held_out = np.load(tmp_path / "data/held_out/swapped.npy", mmap_mode="r")
    subsets = [np.load(path, mmap_mode="r") for path in tmp_path.glob("data/lab/*.npy")]
    assert sum(map(len, subsets)) + len(held_out) == 1000


def test_the_table_of_sizes_has_ratios_to_the_smallest():
    runs = {100: {"split": scaling.Measured(3.0, 1.0, 2**20, 2**21)}}
    runs[1000] = {"split": scaling.Measured(9.0, 9.0, 2**22, 2**23)}
    *_, row = scaling.table(runs).splitlines()
    assert row.split(" | ")[6:] == ["9.0 s", "9.0 s", "9000 µs", "4 MB", "8 MB", "9.0x", "4.0x", "4.0x |"]


def test_the_rate_is_of_one_more_epoch(monkeypatch, tmp_path):
    """Of all trainings together, and without their start: here 10 and 12 seconds."""
    (tmp_path / "data/lab").mkdir(parents=True)
    np.save(tmp_path / "data/lab/pretrain.npy", np.zeros((100, 3, 2, 2), np.uint8))
    seconds = {1: (15.0, 20.0), 2: (20.0, 28.0)}
    monkeypatch.setattr(threads, "_seconds", lambda project, configuration, epochs: seconds[epochs])
    assert threads.rate(tmp_path, threads.Configuration()) == (20.0, 12.5)
    assert threads.rate(tmp_path, threads.Configuration(trainings=2)) == (40.0, 25.0)
    seconds[2] = (14.0, 28.0)
    with pytest.raises(SystemExit, match="more --images"):
        threads.rate(tmp_path, threads.Configuration())


def test_the_table_of_configurations_has_ratios_to_the_first():
    measured = {"one": [threads.Rate(10.0, 5.0), threads.Rate(30.0, 5.0)], "two": [threads.Rate(30.0, 9.0)]}
    *_, row = threads.table(measured).splitlines()
    assert row == "| two | 30.0 (9.0 a CPU second) | 1.50 |"


@pytest.mark.slow
def test_each_configuration_trains(tmp_path):
    tiny = {
        "model": {"block_out_channels": [8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4},
        "train": {"batch_size": 16},
    }
    project = threads.prepare(tmp_path / "project", 1000, 32, tiny)
    for configuration in threads.configurations(2).values():
        assert min(threads._seconds(project, configuration, 1)) > 0


def test_the_peers_files_have_the_pipelines_lab(tmp_path):
    """It crops after resizing, so to whole pixels: half of one beside the pipeline, here."""
    for number, content in enumerate(draw_photographs(3)):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(content)
        other, mirrored = (JpegFiles([path], 128, share)[0] for share in (0.0, 1.0))
        ours = decode_lab8(photograph_to_lab8(content, 128, "crop"))
        assert np.abs(ours - other).mean() < 2  # in units of Lab
        assert np.abs(ours - mirrored).mean() > 4


def test_the_peer_trains_the_pipelines_network(tmp_path):
    """On one photograph, so that there is something to learn in a few steps; by the objective's own measure."""
    path = tmp_path / "0.jpg"
    path.write_bytes(*draw_photographs(1))
    params = study()
    params = params.model_copy(update={"model": params.model.model_copy(update={"block_out_channels": [8, 8]})})
    goal = Colorization(params.loss, None)
    settings = replace(Settings.from_params(params.train), epochs=8, batch_size=2, learning_rate=1e-2)
    model = network(params)
    losses = peer.train(model, goal, [path] * 4, 32, settings, torch.device("cpu"))
    assert len(losses) == 8
    assert losses[-1] < losses[0] / 2
