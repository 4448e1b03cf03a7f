import numpy as np
import pandas as pd
import pytest

from stages.probing import protocol
from stages.probing.domains import read_domain
from stages.probing.protocol import Trial, choose, probe_representation
from stages.shared.errors import StageError
from stages.shared.params import Probe

CLASSES = {"in": ["apple", "cake", "stew"], "out": ["bread", "tart"]}
IMAGES = {"probe": 12, "validation": 8, "test": 7}


def settings(**changes) -> Probe:
    values = {
        "representations": {"pixels": [], "latents": []},
        "seeds": 2,
        "epochs": 4,
        "batch_size": 8,
        "channels": [8],
        "learning_rates": [1e-9, 0.02],
        "weight_decay": 0.01,
        "precision": "float32",
        "linear_grid": 2,
        "linear_c": [1e-9, 1.0],
    }
    return Probe(**(values | changes))


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


@pytest.fixture
def arrays(manifest):
    """Classes differ by the channel that is bright; a domain's classes are told apart only within it."""
    rng = np.random.default_rng(0)
    found = {}
    for subset in IMAGES:
        rows = manifest[manifest["subset"] == subset]
        views = 2 if subset == "probe" else 1
        values = rng.normal(size=(len(rows), views, 3, 4, 4))
        for row, (label, domain) in enumerate(zip(rows["label"], rows["domain"], strict=True)):
            values[row, :, CLASSES[domain].index(label)] += 2
        found[subset] = values.astype(np.float16)
    return found


def probe(arrays, manifest, **changes):
    return probe_representation(lambda s, i: arrays[s][i], manifest, settings(**changes), seed=0)


def test_both_heads_learn_and_every_test_image_is_predicted_once_a_head_and_seed(arrays, manifest):
    predictions, curves, choices = probe(arrays, manifest)
    assert list(predictions) == ["domain", "head", "seed", "image", "label", "predicted", "top5", "loss"]
    test = manifest[manifest["subset"] == "test"]
    for domain in CLASSES:
        expected = test.loc[test["domain"] == domain, ["image", "label"]].to_numpy().tolist()
        own = predictions[predictions["domain"] == domain]
        assert set(zip(own["head"], own["seed"], strict=True)) == {("conv", 0), ("conv", 1), ("linear", 0)}
        for _, group in own.groupby(["head", "seed"]):
            assert group[["image", "label"]].to_numpy().tolist() == expected
            assert (group["label"] == group["predicted"]).mean() > 0.8
    assert curves.groupby(["domain", "seed", "learning_rate"]).size().eq(4).all()
    assert choices.groupby(["domain", "head"])["chosen"].sum().eq(1).all()
    assert choices.loc[choices["chosen"] == 1, "value"].tolist() == [0.02, 1.0, 0.02, 1.0]


def test_seed_0_s_fit_is_the_one_that_was_chosen_and_is_not_fitted_again(arrays, manifest, monkeypatch):
    fits = []
    original = protocol.fit_conv_probe

    def recorded(*args, learning_rate, seed, **rest):
        fits.append((seed, learning_rate))
        return original(*args, learning_rate=learning_rate, seed=seed, **rest)

    monkeypatch.setattr(protocol, "fit_conv_probe", recorded)
    probe(arrays, manifest, seeds=3)
    once = [((0, 0), 1e-9), ((0, 0), 0.02), ((0, 1), 0.02), ((0, 2), 0.02)]
    assert fits == once * 2


def test_test_images_are_read_once_and_only_after_every_fit(arrays, manifest, monkeypatch):
    events = []

    def read(subset, positions):
        events.append((subset, tuple(positions)))
        return arrays[subset][positions]

    for name in ("fit_conv_probe", "fit_linear_probe"):
        original = getattr(protocol, name)
        monkeypatch.setattr(protocol, name, lambda *a, _f=original, **k: (events.append(("fit", ())), _f(*a, **k))[1])
    monkeypatch.setattr(protocol, "TEST_CHUNK", 5)
    chunked = probe_representation(read, manifest, settings(), seed=0)
    kinds = [kind for kind, _ in events]
    first = kinds.index("test")
    assert set(kinds[first:]) == {"test"} and kinds[:first].count("fit") == 10
    positions = [row for kind, rows in events if kind == "test" for row in rows]
    assert sorted(positions) == list(range(len(arrays["test"])))
    pd.testing.assert_frame_equal(chunked.choices, probe(arrays, manifest).choices)


def test_choices_are_made_on_validation_even_where_test_says_the_opposite(arrays, manifest):
    honest = probe(arrays, manifest)
    adversarial = probe(arrays | {"test": -arrays["test"]}, manifest)
    pd.testing.assert_frame_equal(honest.choices, adversarial.choices)
    pd.testing.assert_frame_equal(honest.curves, adversarial.curves)
    hit = adversarial.predictions["label"] == adversarial.predictions["predicted"]
    assert hit.mean() < 0.2
    # The rate that leaves the probe untrained would have been better on those test images.
    assert honest.choices.loc[honest.choices["head"] == "conv", "chosen"].tolist() == [0, 1, 0, 1]


def test_a_domain_is_judged_by_its_own_images_and_labels(arrays, manifest):
    found = probe(arrays, manifest)
    changed = {}
    for subset, values in arrays.items():
        rows = manifest[manifest["subset"] == subset]
        changed[subset] = np.where(
            (rows["domain"] == "out").to_numpy()[:, None, None, None, None], 5 * values[::-1] + 1, values
        )
    other = probe(changed, manifest)
    for table, reference in zip(other, found, strict=True):
        pd.testing.assert_frame_equal(table[table["domain"] == "in"], reference[reference["domain"] == "in"])
    for domain, own in found.predictions.groupby("domain"):
        assert set(own["label"]) == set(CLASSES[domain])
        assert set(own["predicted"]) <= set(CLASSES[domain])


def test_the_same_inputs_give_the_same_tables(arrays, manifest):
    for first, second in zip(probe(arrays, manifest), probe(arrays, manifest), strict=True):
        assert first.to_csv() == second.to_csv()


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
        probe_representation(None, kept, settings(), seed=0)


def test_probe_features_without_mirror_images_are_refused(arrays, manifest):
    with pytest.raises(StageError, match="mirror image"):
        probe(arrays | {"probe": arrays["probe"][:, :1]}, manifest)


def test_choices_go_by_accuracy_then_loss_then_the_smaller_value():
    a, b, c, d = (
        Trial(1.0, 0.5, 0.9, None),
        Trial(2.0, 0.6, 1.0, None),
        Trial(3.0, 0.6, 0.8, None),
        Trial(4.0, 0.6, 0.8, None),
    )
    diverged = Trial(0.1, 0.9, float("nan"), None)
    assert choose([a, b], "linear_c") is b
    assert choose([a, b, c], "linear_c") is c
    assert choose([d, c, b, a], "linear_c") is c
    assert choose([diverged, a], "linear_c") is a
    with pytest.raises(StageError, match=r"diverged at every value of probe\.linear_c: 0\.1"):
        choose([diverged], "linear_c")
