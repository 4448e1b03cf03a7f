import numpy as np
import pytest

from stages.comparison.label_efficiency import label_efficiency
from stages.comparison.tables import LABEL_EFFICIENCY
from tests.comparison.studies import study


def test_accuracy_is_the_mean_over_seeds_and_draws_fewest_labels_first(tmp_path):
    drawn = np.random.default_rng(0).integers(0, 2, (2, 2, 30))
    hits = {"random": {("in", "mid", "few_shot", "5"): drawn}}
    found = label_efficiency(*study(tmp_path, {"rgb": 0.5}, {"random": 0.3}, images=30, pretraining_seeds=2, hits=hits))
    assert list(found) == LABEL_EFFICIENCY.names
    own = found[(found["domain"] == "in") & (found["head"] == "ridge")]
    assert own[["representation", "layer", "view"]].drop_duplicates().apply(tuple, axis=1).to_list() == [
        ("rgb", "pixels", "primary"),
        ("random", "down_1", "primary"),
        ("random", "latent", "latent"),
        ("random", "mid", "best"),
    ]
    best = own[own["view"] == "best"]
    assert list(best["shots"]) == ["1", "5", "all"] and list(best["labels"]) == [1, 5, 20]
    assert best["accuracy"].iloc[1] == pytest.approx(drawn.mean(), abs=1e-6)
    assert (found["accuracy_low"] <= found["accuracy"]).all() and (found["accuracy"] <= found["accuracy_high"]).all()


def test_draws_that_disagree_widen_the_interval(tmp_path):
    images = np.arange(200)
    agreed, apart = [[images % 2, images % 2]], [[images % 5 > 0, images % 5 == 0]]
    hits = {"random": {("in", "latent", "few_shot", "1"): agreed, ("in", "latent", "few_shot", "5"): apart}}
    found = label_efficiency(*study(tmp_path, {}, {"random": 0.3}, images=200, hits=hits))
    own = found.query("domain == 'in' and view == 'latent'").set_index("shots")
    assert own.loc["1", "accuracy"] == own.loc["5", "accuracy"] == 0.5
    width = own["accuracy_high"] - own["accuracy_low"]
    assert width["1"] == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(200), rel=0.2)
    assert width["5"] > 3 * width["1"]
