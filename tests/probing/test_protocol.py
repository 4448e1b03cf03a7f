import numpy as np
import pandas as pd
import pytest

from stages.probing import few_shot, layer_features
from stages.probing.heads import conv, knn, linear, ridge
from stages.probing.protocol import probe_representation
from stages.probing.source import FeatureSource
from stages.runtime.errors import StageError
from tests.probing.settings import settings
from tests.probing.signals import CLASSES, GRID, LAYERS, probe, probe_layers, tables


def test_all_heads_learn_and_every_test_image_is_predicted_once_a_head_and_seed(arrays, manifest):
    found = probe(arrays, manifest)
    columns = "domain layer head pretraining_seed seed image label predicted top5 loss"
    assert list(found.predictions) == columns.split()
    test = manifest[manifest["subset"] == "test"]
    for domain in CLASSES:
        expected = test.loc[test["domain"] == domain, ["image", "label"]].to_numpy().tolist()
        own = found.predictions[found.predictions["domain"] == domain]
        heads = [("conv", 0), ("conv", 1), ("linear", 0), ("knn", 0), ("ridge", 0)]
        assert list(dict.fromkeys(zip(own["head"], own["seed"], strict=True))) == heads
        for _, group in own.groupby(["head", "seed"]):
            assert group[["image", "label"]].to_numpy().tolist() == expected
            assert (group["label"] == group["predicted"]).mean() > 0.8
            assert group["loss"].between(0, 1.2).all()
    assert found.curves.groupby(["domain", "seed", "learning_rate"]).size().eq(4).all()
    assert found.choices.groupby(["domain", "head"])["chosen"].sum().eq(1).all()
    chosen = found.choices[(found.choices["chosen"] == 1) & found.choices["head"].isin(["conv", "linear"])]
    assert chosen["value"].tolist() == [0.02, 1.0, 0.02, 1.0]


def test_seed_0_s_fit_is_the_one_that_was_chosen_and_is_not_fitted_again(arrays, manifest, monkeypatch):
    fits = []
    original = conv.fit_conv_probe

    def recorded(*args, learning_rate, seed, **rest):
        fits.append((seed, learning_rate))
        return original(*args, learning_rate=learning_rate, seed=seed, **rest)

    monkeypatch.setattr(conv, "fit_conv_probe", recorded)
    probe(arrays, manifest, seeds=3)
    once = [((0, 0), 1e-9), ((0, 0), 0.02), ((0, 1), 0.02), ((0, 2), 0.02)]
    assert fits == once * 2


def test_test_images_are_read_once_a_layer_and_pretraining_seed_and_only_after_every_fit(
    encoders, manifest, monkeypatch
):
    events = []

    def read(k, layer, subset, rows):
        events.append((subset, k, layer, tuple(rows)))
        return encoders[k, layer][subset][rows]

    def watch(module, name):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, **rest: (events.append(("fit",)), original(*a, **rest))[1])

    watch(conv, "fit_conv_probe")
    watch(linear, "fit_linear_probe")
    watch(knn, "fit_knn_probe")
    watch(ridge, "fit_ridge")
    watch(few_shot, "fit_ridge")
    monkeypatch.setattr(layer_features, "TEST_CHUNK", 5)
    source = FeatureSource(read, tuple(LAYERS), ("latent",), 2, 9000)
    chunked = probe_representation(source, manifest, settings(**GRID), 0)
    kinds = [event[0] for event in events]
    first = kinds.index("test")
    # Of each domain and pretraining seed: ridge on 3 layers; on 2 of them 3 conv, 2 linear, 1 k-NN, 2 x 2 draws.
    assert set(kinds[first:]) == {"test"} and kinds[:first].count("fit") == 2 * 2 * (3 + 2 * (3 + 2 + 1 + 4))
    for k in range(2):
        for layer in LAYERS:
            rows = [row for event in events if event[:3] == ("test", k, layer) for row in event[3]]
            assert sorted(rows) == list(range(len(encoders[k, layer]["test"])))
    whole = probe_layers(encoders, manifest, seeds=2)
    pd.testing.assert_frame_equal(chunked.choices, whole.choices)
    pd.testing.assert_frame_equal(chunked.predictions, whole.predictions, atol=1e-5)
    pd.testing.assert_frame_equal(chunked.few_shot, whole.few_shot)


def test_choices_are_made_on_validation_even_where_test_says_the_opposite(encoders, manifest):
    honest = probe_layers(encoders, manifest)
    turned = {place: arrays | {"test": -arrays["test"]} for place, arrays in encoders.items()}
    adversarial = probe_layers(turned, manifest)
    for table in ("choices", "curves", "layers"):
        pd.testing.assert_frame_equal(getattr(honest, table), getattr(adversarial, table))
    without = [column for column in honest.few_shot if column != "test_accuracy"]
    pd.testing.assert_frame_equal(honest.few_shot[without], adversarial.few_shot[without])
    clear = adversarial.predictions[adversarial.predictions["layer"] == "clear"]
    assert (clear["label"] == clear["predicted"]).mean() < 0.2
    # The rate that leaves the probe untrained would have been better on those test images.
    conv = honest.choices[(honest.choices["head"] == "conv") & (honest.choices["layer"] == "clear")]
    assert conv["chosen"].tolist() == [0, 1] * 4


def test_a_domain_is_judged_by_its_own_images_and_labels(arrays, manifest):
    found = probe(arrays, manifest)
    changed = {}
    for subset, values in arrays.items():
        rows = manifest[manifest["subset"] == subset]
        changed[subset] = np.where(
            (rows["domain"] == "out").to_numpy()[:, None, None, None, None], 5 * values[::-1] + 1, values
        )
    other = probe(changed, manifest)
    for table, reference in zip(tables(other), tables(found), strict=True):
        pd.testing.assert_frame_equal(table[table["domain"] == "in"], reference[reference["domain"] == "in"])
    for domain, own in found.predictions.groupby("domain"):
        assert set(own["label"]) == set(CLASSES[domain])
        assert set(own["predicted"]) <= set(CLASSES[domain])


def test_the_same_inputs_give_the_same_tables(encoders, manifest):
    first, second = (probe_layers(encoders, manifest, dropout=0.3) for _ in range(2))
    for one, other in zip(tables(first), tables(second), strict=True):
        assert one.to_csv() == other.to_csv()


@pytest.mark.parametrize("layer", ["noise", "latent"])
@pytest.mark.parametrize("subset", ["probe", "validation", "test"])
def test_values_that_are_not_finite_are_refused_on_every_layer(encoders, manifest, layer, subset):
    array = encoders[1, layer][subset] = encoders[1, layer][subset].copy()
    array[0, 0, 0, 0, 0] = np.nan
    with pytest.raises(StageError, match="not finite"):
        probe_layers(encoders, manifest, epochs=1)


def test_probe_features_without_mirror_images_are_refused(arrays, manifest):
    with pytest.raises(StageError, match="mirror image"):
        probe(arrays | {"probe": arrays["probe"][:, :1]}, manifest)
