import pytest

from stages.comparison.layers import read_layers
from stages.runtime.errors import StageError
from tests.comparison.probes import PRIMARY, rewrite, write_findings


def test_an_encoder_has_three_views_which_count_once_where_they_are_one_layer_and_pixels_have_one(tmp_path):
    path = write_findings(tmp_path, "random") / "layers.csv"
    layers = read_layers(path, PRIMARY)["in"]
    assert layers.views == {"primary": "down_1", "latent": "latent", "best": "mid"}
    assert layers.shown == ["down_1", "latent", "mid"]
    assert list(layers.table["layer"]) == ["down_0", "down_1", "mid", "latent"]
    assert read_layers(path, "mid")["in"].shown == ["mid", "latent"]
    layers = read_layers(write_findings(tmp_path, "rgb", kind="pixels") / "layers.csv", "pixels")["out"]
    assert layers.views == {"primary": "pixels"} and layers.shown == ["pixels"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="order"), "must have the columns"),
        (lambda rows: rows[rows["domain"] == "in"], "rows of the domains in, out; got in"),
        (lambda rows: rows.assign(chosen=0), "chooses none"),
        (lambda rows: rows.assign(chosen=1), "chooses down_0, down_1, mid, latent"),
        (lambda rows: rows.assign(features="many"), "is not a table of layers: .*many"),
        (lambda rows: rows[rows["layer"] != "latent"], "'down_1', 'latent' among them"),
        (lambda rows: rows[rows["layer"] != "down_1"], "'down_1', 'latent' among them"),
        (lambda rows: rows.replace("down_0", "mid"), "each layer of domain 'in' once"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, change, message):
    path = write_findings(tmp_path, "random") / "layers.csv"
    rewrite(path, change)
    with pytest.raises(StageError, match=message):
        read_layers(path, PRIMARY)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(StageError, match=r"layers\.csv is missing"):
        read_layers(tmp_path / "layers.csv", PRIMARY)
