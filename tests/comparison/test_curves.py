import pandas as pd
import pytest

from stages.comparison.curves import chosen_curves
from stages.shared.errors import StageError


def write(folder, name, chosen):
    (folder / name).mkdir()
    curves = [
        ("in", "conv", seed, rate, epoch, 1.0, 2.0, 0.1 * seed + rate + epoch)
        for seed, rate in ((0, 0.01), (0, 0.02), (1, chosen))
        for epoch in (1, 2)
    ]
    columns = [
        "domain",
        "head",
        "seed",
        "learning_rate",
        "epoch",
        "train_loss",
        "validation_loss",
        "validation_accuracy",
    ]
    pd.DataFrame(curves, columns=columns).to_csv(folder / name / "curves.csv", index=False)
    choices = [("in", "conv", "learning_rate", rate, int(rate == chosen)) for rate in (0.01, 0.02)]
    choices.append(("in", "linear", "c", 0.01, 1))
    columns = ["domain", "head", "setting", "value", "chosen"]
    pd.DataFrame(choices, columns=columns).to_csv(folder / name / "choices.csv", index=False)


def test_only_the_chosen_rate_counts_and_seeds_are_averaged(tmp_path):
    write(tmp_path, "rgb", 0.02)
    curves = chosen_curves(tmp_path, ["rgb"])
    assert list(curves["representation"]) == ["rgb", "rgb"]
    assert list(curves["epoch"]) == [1, 2]
    assert list(curves["validation_accuracy"]) == pytest.approx([0.05 + 0.02 + 1, 0.05 + 0.02 + 2])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StageError, match=r"rgb/curves\.csv is missing"):
        chosen_curves(tmp_path, ["rgb"])
