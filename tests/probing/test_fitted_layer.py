import numpy as np
import pandas as pd
import pytest

from stages.probing import few_shot
from stages.probing.few_shot import draw_images
from tests.probing.signals import CLASSES, LAYERS, features, probe, probe_layers


def test_ridge_goes_to_every_layer_and_all_heads_to_the_fixed_and_the_best(encoders, manifest):
    found = probe_layers(encoders, manifest)
    everything = ["conv", "linear", "knn", "ridge"]
    expected = [("noise", ["ridge"]), ("latent", everything), ("clear", everything)]
    for table in (found.predictions, found.choices):
        heads = table.groupby(["domain", "layer", "pretraining_seed"], sort=False)["head"].unique()
        assert [(layer, heads.tolist()) for (_, layer, k), heads in heads.items() if k == 0] == expected * 2
        assert heads.xs(0, level=2).map(list).equals(heads.xs(1, level=2).map(list))
    assert set(found.few_shot["layer"]) == set(found.curves["layer"]) == {"latent", "clear"}
    assert set(found.predictions["pretraining_seed"]) == {0, 1}


def test_a_layer_has_the_mean_accuracy_of_ridge_on_validation(encoders, manifest):
    found = probe_layers(encoders, manifest)
    columns = "domain layer order features validation_accuracy cv_accuracy chosen"
    assert list(found.layers) == columns.split()
    assert found.layers["layer"].tolist() == LAYERS * 2 and found.layers["order"].tolist() == [0, 1, 2] * 2
    assert found.layers["chosen"].tolist() == [0, 0, 1] * 2
    chosen = found.choices[(found.choices["head"] == "ridge") & (found.choices["chosen"] == 1)]
    means = chosen.groupby(["domain", "layer"])["validation_accuracy"].mean()
    for row in found.layers.itertuples():
        assert row.validation_accuracy == pytest.approx(means[row.domain, row.layer])


def test_of_equal_layers_the_earlier_is_the_best_and_a_fixed_one_may_be_it(encoders, manifest):
    equal = {(k, layer): encoders[k, "clear"] for k, layer in encoders}
    for layers in (["latent", "clear"], ["clear", "latent"]):
        found = probe_layers(equal, manifest, layers=layers)
        assert found.layers["chosen"].tolist() == [1, 0] * 2
        assert list(dict.fromkeys(found.few_shot["layer"])) == (["latent"] if layers[0] == "latent" else layers)


def test_a_best_layer_can_differ_between_domains(encoders, manifest):
    out = (manifest["domain"] == "out").to_numpy()
    mixed = {}
    for (k, layer), arrays in encoders.items():
        other = {"noise": "clear", "clear": "noise"}.get(layer, layer)
        mixed[k, layer] = {
            subset: np.where(
                out[manifest["subset"] == subset][:, None, None, None, None], encoders[k, other][subset], values
            )
            for subset, values in arrays.items()
        }
    found = probe_layers(mixed, manifest)
    assert found.layers["chosen"].tolist() == [0, 0, 1, 1, 0, 0]
    assert set(found.hits) == {("in", "latent"), ("in", "clear"), ("out", "noise"), ("out", "latent")}


def test_large_maps_are_pooled_for_ridge_to_the_common_size(encoders, manifest):
    found = probe_layers(encoders, manifest, max_features=47)
    assert found.layers["features"].tolist() == [12] * 6
    assert probe_layers(encoders, manifest, max_features=48).layers["features"].tolist() == [48] * 6


def test_rows_of_few_labels_and_hits_run_in_step_with_one_another_and_with_the_predictions(encoders, manifest):
    found = probe_layers(encoders, manifest, shots=[5, 1, 13])
    columns = "domain layer pretraining_seed shots labels draw alpha validation_accuracy test_accuracy"
    assert list(found.few_shot) == columns.split()
    for (domain, layer), rows in found.few_shot.groupby(["domain", "layer"]):
        keys = list(zip(rows["pretraining_seed"], rows["shots"], rows["labels"], rows["draw"], strict=True))
        draws = [(1, 1, 0), (1, 1, 1), (5, 5, 0), (5, 5, 1), ("all", 12, 0)]
        assert keys == [(k, *draw) for k in range(2) for draw in draws]
        hits = found.hits[domain, layer]
        assert hits.dtype == np.uint8 and hits.shape == (10, 7 * len(CLASSES[domain]))
        np.testing.assert_allclose(hits.mean(axis=1), rows["test_accuracy"])
        # All labels: the ridge head itself.
        head = found.predictions.query("domain == @domain and layer == @layer and head == 'ridge'")
        right = (head["label"] == head["predicted"]).to_numpy().reshape(2, -1)
        np.testing.assert_array_equal(hits[[4, 9]], right)


def test_every_representation_layer_and_pretraining_seed_is_given_the_same_images(encoders, manifest, monkeypatch):
    drawn = []

    def recorded(labels, shots, seed):
        drawn.append((seed, tuple(draw_images(labels, shots, seed))))
        return drawn[-1][1]

    monkeypatch.setattr(few_shot, "draw_images", lambda *a: np.array(recorded(*a)))
    probe_layers(encoders, manifest)
    encoder, drawn = drawn, []
    probe(features(manifest, 1.0, seed=99, size=2), manifest)
    assert len(encoder) == 2 * 2 * 2 * 4 and len(drawn) == 2 * 4
    assert dict(encoder) == dict(drawn) and len(set(encoder)) == 8


def test_pretraining_seeds_are_judged_apart(encoders, manifest):
    both = probe_layers(encoders, manifest)
    one = probe_layers({place: arrays for place, arrays in encoders.items() if place[0] == 0}, manifest)
    for name in ("predictions", "curves", "choices", "few_shot"):
        table = getattr(both, name)
        own = table[table["pretraining_seed"] == 0].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, getattr(one, name))
