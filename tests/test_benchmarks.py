"""The benchmark measures what it says: every row runs, and the straightforward way makes the same thing."""

import importlib
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import peer
from benchmarks.__main__ import ROWS
from benchmarks.limits import measure_limits
from benchmarks.machine import describe, slug
from benchmarks.measure import Row, Scale
from benchmarks.models import network, study
from benchmarks.peer import JpegFiles
from benchmarks.pictures import draw_photographs
from benchmarks.straightforward import photograph_to_lab
from benchmarks.table import markdown
from stages.color.lab import decode_lab8
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
