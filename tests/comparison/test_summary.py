import pytest

from stages.comparison.cells import comparison_cells, mean_rows
from stages.comparison.lifts import lift_table
from stages.comparison.summary import comparison_text
from stages.comparison.tables import LABELS_SAVED
from tests.comparison.studies import ENDPOINT, study


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    representations, columns = study(tmp_path_factory.mktemp("study"), images=200)
    means = mean_rows(comparison_cells(representations, columns, "colorization"), representations)
    return means, lift_table(representations, columns, ENDPOINT), LABELS_SAVED.frame([])


def test_the_table_names_chance_every_representation_and_its_best_layer(tables):
    means, lifts, saved = tables
    text = comparison_text(means, lifts, saved, {"in": 4, "out": 2}, ENDPOINT)
    assert "Chance: 25.0 % (4 classes)." in text
    own = means.query("domain == 'in' and representation == 'random'").set_index(["view", "head"])
    line = next(line for line in text.splitlines() if line.startswith("  random"))
    conv, best = own.loc[("primary", "conv")], own.loc[("best", "conv")]
    assert f" {100 * conv.accuracy:.1f} ± " in line and f" {100 * best.accuracy:.1f} ± " in line and " mid " in line
    assert f"{100 * conv.lift:+.1f} ({100 * conv.lift_low:+.1f} to" in line
    assert f" {100 * own.loc[('primary', 'knn')].accuracy:.1f} " in line
    assert all(len(line) <= 120 for line in text.splitlines())


def test_it_says_what_is_a_win_and_what_could_have_been_found(tables):
    means, lifts, saved = tables
    changed = lifts.assign(win=(lifts["over"] == "random").astype(int), minimum_detectable=0.0213)
    text = comparison_text(means, changed, saved, {"in": 4, "out": 2}, ENDPOINT)
    assert "after Holm's correction for 22 tests" in text
    assert "\n    colorization over random (not lightness, reconstruction)\n" in text  # rgb: the primary endpoint
    assert "\n    colorization (latents) over random (not rgb, lightness, reconstruction)\n" in text
    assert "\n    colorization (best layers) over random (not rgb, lightness, reconstruction)\n" in text
    assert "Minimum detectable lift at 80 % power (median, uncorrected): 2.1 points." in text
    assert "\n    colorization over none\n" in comparison_text(
        means, lifts.assign(win=0), saved, {"in": 4, "out": 2}, ENDPOINT
    )
