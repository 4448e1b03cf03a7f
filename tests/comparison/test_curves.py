import pandas as pd
import pytest

from stages.comparison.curves import chosen_curves
from stages.comparison.representations import read_representations
from stages.runtime.errors import StageError
from tests.comparison.probes import PRIMARY, rewrite, write_findings


def test_only_the_primary_layer_at_the_chosen_rate_counts_and_seeds_are_averaged(tmp_path):
    place = write_findings(tmp_path, "random", pretraining_seeds=2)
    # Made up: accuracy is rate + epoch. Pretraining seed 1 chose another rate, and the best layer learns faster.
    rewrite(
        place / "choices.csv",
        lambda rows: rows.assign(chosen=(rows["value"] == rows["pretraining_seed"].map({0: 0.01, 1: 0.1})).astype(int)),
    )
    rewrite(place / "curves.csv", lambda rows: rows.assign(train_loss=(rows["layer"] == "mid") * 5.0))
    curves = chosen_curves(tmp_path, read_representations(tmp_path, [], ["random"], PRIMARY, ["ridge"]))
    assert list(curves) == ["domain", "representation", "epoch", "train_loss", "validation_loss", "validation_accuracy"]
    assert list(curves["domain"]) == ["in", "in", "out", "out"]
    assert list(curves["validation_accuracy"]) == pytest.approx([1.055, 2.055] * 2)
    assert (curves["train_loss"] == 0).all()


def test_missing_files_and_curves_are_named(tmp_path):
    place = write_findings(tmp_path, "random")
    representations = read_representations(tmp_path, [], ["random"], PRIMARY, ["ridge"])
    curves = pd.read_csv(place / "curves.csv")
    curves[curves["domain"] == "in"].to_csv(place / "curves.csv", index=False)
    with pytest.raises(StageError, match="no curve of the conv probe at its chosen rate for domain out"):
        chosen_curves(tmp_path, representations)
    curves.drop(columns="epoch").to_csv(place / "curves.csv", index=False)
    with pytest.raises(StageError, match=r"random/curves\.csv is not a table of learning curves: it must have"):
        chosen_curves(tmp_path, representations)
    (place / "curves.csv").unlink()
    with pytest.raises(StageError, match=r"random/curves\.csv is missing"):
        chosen_curves(tmp_path, representations)
