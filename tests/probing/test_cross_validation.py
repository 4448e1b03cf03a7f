import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from stages.probing.cross_validation import cross_validated_accuracy
from tests.probing.signals import features, probe_layers

ALPHAS = [1.0, 10.0]


def test_two_folds_of_four_images_worked_out_by_hand():
    """With one image of each class in a fold, the border lies half-way between the two training images."""
    labels = np.array([0, 0, 1, 1])
    apart = np.array([[0.0], [0.1], [1.0], [1.1]], np.float32)
    assert cross_validated_accuracy(apart, labels, ALPHAS, 2, (0,)) == 1
    # Trained on 0.0 and either of class 1 the border is 0.5 or 0.55: 0.8 is wrong, the other of class 1 right.
    # Trained on 0.8 it is 0.9 or 0.95: 0.0 and the other are right.
    mixed = np.array([[0.0], [0.8], [1.0], [1.1]], np.float32)
    assert cross_validated_accuracy(mixed, labels, ALPHAS, 2, (0,)) == 0.75


def test_folds_are_stratified_seeded_and_at_most_the_labels_of_the_rarest_class(monkeypatch):
    parts = []

    def recorded(self, features, targets, *args):
        parts.append((features.shape[0], targets.sum(axis=0).tolist()))
        return original(self, features, targets, *args)

    original = RidgeCV.fit
    monkeypatch.setattr(RidgeCV, "fit", recorded)
    labels = np.array([0] * 6 + [1] * 3)
    vectors = np.random.default_rng(0).normal(size=(9, 20)).astype(np.float32)
    first = [cross_validated_accuracy(vectors, labels, ALPHAS, 5, (0, seed)) for seed in (0, 0)]
    assert parts == [(6, [4.0, 2.0])] * 6 and first[0] == first[1]


def test_a_layer_that_was_lucky_on_validation_images_alone_is_not_chosen(manifest):
    """`noise` tells nothing, but its validation images lie where the noise of the probe images puts their classes;
    `clear` tells the classes of most images."""
    noise, clear = features(manifest, 0.0), features(manifest, 0.5, seed=1)
    labels = {subset: rows["label"].to_numpy() for subset, rows in manifest.groupby("subset")}
    means = {label: noise["probe"][labels["probe"] == label, 0].mean(axis=0) for label in np.unique(labels["probe"])}
    lucky = noise | {"validation": np.stack([4 * means[label] for label in labels["validation"]])[:, None]}
    layers = {(0, "noise"): lucky, (0, "latent"): features(manifest, 0.0, seed=2), (0, "clear"): clear}
    found = probe_layers(layers, manifest).layers.query("domain == 'in'").set_index("layer")
    assert found.loc["noise", "validation_accuracy"] > found.loc["clear", "validation_accuracy"]
    assert found.loc["noise", "cv_accuracy"] < found.loc["clear", "cv_accuracy"]
    assert found["chosen"].to_dict() == {"noise": 0, "latent": 0, "clear": 1}


def test_every_layer_has_every_depth_head(encoders, manifest):
    found = probe_layers(encoders, manifest, depth_heads=["ridge", "conv"])
    heads = found.predictions.groupby(["domain", "layer"], sort=False)["head"].agg(set)
    assert heads.loc["in", "noise"] == {"ridge", "conv"}
    assert heads.loc["in", "latent"] == heads.loc["in", "clear"] == {"ridge", "conv", "linear", "knn"}
    assert found.choices.groupby(["domain", "layer", "head", "pretraining_seed"])["chosen"].sum().eq(1).all()


@pytest.mark.parametrize("folds", [2, 4])
def test_a_class_of_one_image_is_no_obstacle(folds):
    vectors = np.array([[0.0], [0.1], [0.2], [1.0], [5.0]], np.float32)
    found = cross_validated_accuracy(vectors, np.array([0, 0, 0, 0, 1]), ALPHAS, folds, (0,))
    assert found == pytest.approx(0.8)
