import numpy as np
import pandas as pd
import pytest

from stages.probing import few_shot, layer_probes, predictions
from stages.probing.domains import read_domain
from stages.probing.few_shot import draw_images
from stages.probing.protocol import probe_representation
from stages.probing.representation import Representation
from stages.shared.errors import StageError
from tests.probing.settings import settings as small

CLASSES = {"in": ["apple", "cake", "stew"], "out": ["bread", "tart"]}
IMAGES = {"probe": 12, "validation": 8, "test": 7}
GRID = {"seeds": 2, "epochs": 4, "channels": [8], "learning_rates": [1e-9, 0.02], "linear_c": [1e-9, 1.0]}
LAYERS = ["noise", "latent", "clear"]
SIGNAL = {"noise": 0.0, "latent": 0.2, "clear": 3.0}


def settings(**changes):
    return small(**(GRID | changes))


@pytest.fixture
def manifest():
    rows = [
        (f"{label}/{subset}{number:02}", label, domain, subset)
        for domain, labels in CLASSES.items()
        for label in labels
        for subset, count in IMAGES.items()
        for number in range(count)
    ]
    return pd.DataFrame(sorted(rows), columns=["image", "label", "domain", "subset"])


def features(manifest, signal: float, seed: int = 0, size: int = 4) -> dict[str, np.ndarray]:
    """Classes differ by the channel that is bright; a domain's classes are told apart only within it."""
    rng = np.random.default_rng(seed)
    found = {}
    for subset in IMAGES:
        rows = manifest[manifest["subset"] == subset]
        views = 2 if subset == "probe" else 1
        values = rng.normal(size=(len(rows), views, 3, size, size))
        for row, (label, domain) in enumerate(zip(rows["label"], rows["domain"], strict=True)):
            values[row, :, CLASSES[domain].index(label)] += signal
        found[subset] = values.astype(np.float16)
    return found


@pytest.fixture
def arrays(manifest):
    return features(manifest, 2)


def probe(arrays, manifest, **changes):
    """One layer, which is the headline."""
    read = arrays if callable(arrays) else lambda k, layer, subset, rows: arrays[subset][rows]
    return probe_representation(Representation(read, ["pixels"], "pixels", 1, 9000), manifest, settings(**changes), 0)


@pytest.fixture
def encoders(manifest):
    """Features by pretraining seed and layer: the layer that is not the headline tells more."""
    return {
        (k, layer): features(manifest, SIGNAL[layer], 10 * k + order)
        for k in range(2)
        for order, layer in enumerate(LAYERS)
    }


def probe_layers(encoders, manifest, layers=LAYERS, limit=9000, **changes):
    seeds = 1 + max(k for k, _ in encoders)
    read = lambda k, layer, subset, rows: encoders[k, layer][subset][rows]  # noqa: E731
    return probe_representation(
        Representation(read, layers, "latent", seeds, limit), manifest, settings(**{"seeds": 1, **changes}), 0
    )


def tables(findings):
    return [findings.predictions, findings.curves, findings.choices, findings.layers, findings.few_shot]


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
    original = layer_probes.fit_conv_probe

    def recorded(*args, learning_rate, seed, **rest):
        fits.append((seed, learning_rate))
        return original(*args, learning_rate=learning_rate, seed=seed, **rest)

    monkeypatch.setattr(layer_probes, "fit_conv_probe", recorded)
    probe(arrays, manifest, seeds=3)
    once = [((0, 0), 1e-9), ((0, 0), 0.02), ((0, 1), 0.02), ((0, 2), 0.02)]
    assert fits == once * 2


def test_test_images_are_read_once_a_layer_and_pretraining_seed_and_only_after_every_fit(
    encoders, manifest, monkeypatch
):
    events = []

    def read(k, layer, subset, positions):
        events.append((subset, k, layer, tuple(positions)))
        return encoders[k, layer][subset][positions]

    def watch(module, name):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, **rest: (events.append(("fit",)), original(*a, **rest))[1])

    for name in ("fit_conv_probe", "fit_linear_probe", "fit_knn_probe", "ridge_trials"):
        watch(layer_probes, name)
    watch(few_shot, "ridge_trials")
    monkeypatch.setattr(predictions, "TEST_CHUNK", 5)
    chunked = probe_representation(Representation(read, LAYERS, "latent", 2, 9000), manifest, settings(), 0)
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


def test_ridge_goes_to_every_layer_and_all_heads_to_the_headline_and_the_best(encoders, manifest):
    found = probe_layers(encoders, manifest)
    everything = ["conv", "linear", "knn", "ridge"]
    expected = [("noise", ["ridge"]), ("latent", everything), ("clear", everything)]
    for table in (found.predictions, found.choices):
        heads = table.groupby(["domain", "layer", "pretraining_seed"], sort=False)["head"].unique()
        assert [(layer, heads.tolist()) for (_, layer, k), heads in heads.items() if k == 0] == expected * 2
        assert heads.xs(0, level=2).map(list).equals(heads.xs(1, level=2).map(list))
    assert set(found.few_shot["layer"]) == set(found.curves["layer"]) == {"latent", "clear"}
    assert set(found.predictions["pretraining_seed"]) == {0, 1}


def test_the_best_layer_has_the_highest_mean_of_ridge_on_validation(encoders, manifest):
    found = probe_layers(encoders, manifest)
    assert list(found.layers) == ["domain", "layer", "order", "features", "validation_accuracy", "chosen"]
    assert found.layers["layer"].tolist() == LAYERS * 2 and found.layers["order"].tolist() == [0, 1, 2] * 2
    assert found.layers["chosen"].tolist() == [0, 0, 1] * 2
    chosen = found.choices[(found.choices["head"] == "ridge") & (found.choices["chosen"] == 1)]
    means = chosen.groupby(["domain", "layer"])["validation_accuracy"].mean()
    for row in found.layers.itertuples():
        assert row.validation_accuracy == pytest.approx(means[row.domain, row.layer])


def test_of_equal_layers_the_earlier_is_the_best_and_the_headline_may_be_it(encoders, manifest):
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
    found = probe_layers(encoders, manifest, limit=47)
    assert found.layers["features"].tolist() == [12] * 6
    assert probe_layers(encoders, manifest, limit=48).layers["features"].tolist() == [48] * 6


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


def test_labels_are_numbered_within_the_domain_even_where_a_subset_lacks_a_class(manifest):
    kept = manifest[(manifest["label"] != "cake") | (manifest["subset"] != "test")]
    domain = read_domain(kept, "in")
    assert domain.classes.tolist() == ["apple", "cake", "stew"]
    assert set(domain.images["test"].labels) == {0, 2}
    assert set(read_domain(kept, "out").images["test"].labels) == {0, 1}
    names = manifest[manifest["subset"] == "test"].reset_index(drop=True)["image"]
    out = read_domain(manifest, "out").images["test"]
    assert out.names.tolist() == names[out.positions].tolist()


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("label == 'tart'", "domain 'out' has 1 class"),
        ("domain == 'out'", "domain 'out' has 0 class"),
        ("label == 'cake' and subset == 'probe'", "without probe images: cake"),
        ("domain == 'in' and subset == 'validation'", "domain 'in' has no validation images"),
        ("domain == 'out' and subset == 'test'", "domain 'out' has no test images"),
    ],
)
def test_a_domain_that_cannot_be_probed_is_refused(manifest, removed, message):
    kept = manifest.drop(manifest.query(removed).index)
    with pytest.raises(StageError, match=message):
        probe(None, kept)


def test_probe_features_without_mirror_images_are_refused(arrays, manifest):
    with pytest.raises(StageError, match="mirror image"):
        probe(arrays | {"probe": arrays["probe"][:, :1]}, manifest)
