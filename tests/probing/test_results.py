import numpy as np

from stages.probing.results import write_results
from stages.probing.tables import CHOICES, CURVES, FEW_SHOT, LAYERS, PREDICTIONS
from tests.probing.signals import probe


def test_every_table_is_read_back_as_it_was_written(arrays, manifest, tmp_path):
    results = probe(arrays, manifest)
    write_results(tmp_path, results)
    for name, table in (
        ("predictions", PREDICTIONS),
        ("curves", CURVES),
        ("choices", CHOICES),
        ("layers", LAYERS),
        ("few_shot", FEW_SHOT),
    ):
        written, read = getattr(results, name), table.read(tmp_path / f"{name}.csv")
        assert len(read) == len(written)
        for column, kind in table.columns.items():
            if kind in (str, int):
                assert read[column].astype(str).tolist() == written[column].astype(str).tolist()
            else:
                np.testing.assert_allclose(read[column], written[column], rtol=1e-5)


def test_a_learning_rate_that_diverges_has_empty_losses_and_is_not_selected(arrays, manifest, tmp_path):
    write_results(tmp_path, probe(arrays, manifest, learning_rates=[0.02, 1e30]))
    curves, choices = CURVES.read(tmp_path / "curves.csv"), CHOICES.read(tmp_path / "choices.csv")
    diverged = choices[choices["value"] == 1e30]
    assert diverged["validation_loss"].isna().all() and (diverged["chosen"] == 0).all() and len(diverged) == 2
    assert curves.loc[curves["learning_rate"] == 1e30, "validation_loss"].isna().any()
    assert choices.loc[choices["value"] == 0.02, "chosen"].eq(1).all()
