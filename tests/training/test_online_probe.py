import dataclasses

import numpy as np
import pytest
import torch

from stages.training.checkpoint import Checkpoint
from stages.training.online_probe import LabelledRows, OnlineProbe
from tests.training.test_loop import SETTINGS, equal, images, run, small_model


def probe():
    """Images of three classes, dark, grey and light, which lightness tells apart."""
    numbers = np.arange(60) % 3
    lab8 = images(60).lab8 // 3 + (85 * numbers[:, None, None, None]).astype(np.uint8)
    labels = np.array(["dark", "grey", "light"])[numbers]
    parts = [LabelledRows(lab8, rows, labels[rows]) for rows in np.split(np.arange(60), [40])]
    return OnlineProbe({"in": tuple(parts), "out": tuple(parts)}, "float32")


def test_it_says_how_many_validation_images_are_told_apart():
    found = probe().scores(small_model())
    assert set(found) == {"online_probe/in", "online_probe/out"}
    assert found["online_probe/in"] > 0.9
    fitted, scored = probe().images["in"]
    others = dataclasses.replace(scored, labels=np.roll(scored.labels, 1))
    wrong = OnlineProbe({"in": (fitted, others)}, "float32").scores(small_model())
    assert wrong["online_probe/in"] < 0.1


def test_weights_are_the_same_bytes_with_it_and_without_and_so_are_the_other_series(tmp_path):
    without, series = run(tmp_path / "without")
    torch.manual_seed(5)
    with_it, probed = run(tmp_path / "with", probe=probe())
    assert equal(without, with_it)
    added = {name for name in probed if "online_probe" in name}
    assert added == {f"live/plots/metrics/online_probe/{domain}.tsv" for domain in ("in", "out")}
    assert {name: probed[name] for name in series if name.endswith(".tsv")} == {
        name: content for name, content in series.items() if name.endswith(".tsv")
    }
    assert len(probed["live/plots/metrics/online_probe/in.tsv"].splitlines()) == 1 + SETTINGS.epochs


def test_it_leaves_generators_and_modes_as_they_were():
    network = small_model().train()
    before = torch.get_rng_state(), np.random.get_state()[1].tobytes()
    probe().scores(network)
    assert network.training and torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tobytes()


def test_a_resumed_run_writes_its_series_again(tmp_path, monkeypatch):
    whole, series = run(tmp_path / "whole", probe=probe())
    save, saved = Checkpoint.save, []

    def save_and_stop(self, state):
        save(self, state)
        saved.append(state["step"])
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", probe=probe())
    monkeypatch.setattr(Checkpoint, "save", save)
    resumed, again = run(tmp_path / "cut", probe=probe())
    assert equal(whole, resumed) and series == again
