import numpy as np
import pytest
import torch

from stages.classifiers.conv import conv_log_probabilities
from stages.classifiers.network import PositionMean, build_conv_classifier
from stages.probing.heads.conv import fit_conv_probe, split_into_batches
from tests.probing.settings import settings

CPU = torch.device("cpu")


def task(images: int, seed: int, separable: bool = True, size: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Three classes that differ in the channel that is bright, or in nothing."""
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % 3
    values = rng.normal(size=(images, 2, 3, size, size))
    if separable:
        values[np.arange(images), :, labels] += 2
    return values.astype(np.float16), labels


def fit(train, validation, *, seed=(0, 0), rate=0.01, **changes):
    return fit_conv_probe(
        train, validation, classes=3, learning_rate=rate, seed=seed, settings=settings(**changes), device=CPU
    )


@pytest.mark.parametrize(("channels", "parameters"), [(4, 326_245), (3, 325_093)])
def test_the_study_s_probe_has_the_study_s_parameters(channels, parameters):
    probe = build_conv_classifier(channels, [128, 256], 101)
    assert sum(p.numel() for p in probe.parameters()) == parameters
    assert probe(torch.zeros(2, channels, 16, 16)).shape == (2, 101)


def test_the_pool_is_the_mean_over_positions():
    maps = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(PositionMean()(maps), maps.mean((2, 3)))


def test_a_longer_list_of_channels_is_a_deeper_probe():
    kinds = [type(layer).__name__ for layer in build_conv_classifier(3, [8, 8, 8], 5)]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU"] * 3 + ["PositionMean", "Linear"]
    model, curve = fit(task(60, 0), task(30, 1), channels=[8, 8, 8])
    assert model(torch.zeros(2, 3, 6, 6)).shape == (2, 3)
    assert curve[-1].validation_accuracy > 0.9


def test_dropout_zeroes_pooled_features_before_the_linear_layer_while_training_and_only_then():
    probe = build_conv_classifier(3, [64], 5, 0.5)
    assert [type(layer) for layer in probe[-3:]] == [PositionMean, torch.nn.Dropout, torch.nn.Linear]
    pooled = torch.ones(1, 64)
    probe.train()
    assert set(probe[-2](pooled).unique().tolist()) == {0.0, 2.0}
    probe.eval()
    assert torch.equal(probe[-2](pooled), pooled)


def test_no_dropout_is_no_layer_and_leaves_weights_and_draws_as_they_are_with_it():
    assert not any(isinstance(layer, torch.nn.Dropout) for layer in build_conv_classifier(3, [8], 3, 0.0))
    # Order and views are drawn apart from dropout: with a rate of 1e-12 nothing is dropped and nothing else differs.
    runs = [fit(task(40, 0), task(12, 1), epochs=2, dropout=rate)[0] for rate in (0.0, 1e-12)]
    for first, second in zip(*(model.parameters() for model in runs), strict=True):
        torch.testing.assert_close(first, second)


def test_dropout_depends_on_the_seed_alone():
    def weights(seed):
        torch.rand(seed[1] + 1)
        return fit(task(40, 0), task(12, 1), epochs=2, dropout=0.5, seed=seed)[0][-1].weight

    plain = fit(task(40, 0), task(12, 1), epochs=2)[0][-1].weight
    first = weights((0, 0))
    assert torch.equal(first, weights((0, 0)))
    assert not torch.equal(first, plain)
    assert not torch.equal(first, weights((0, 1)))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_separable_task_is_learned(precision):
    _, curve = fit(task(90, 0), task(60, 1), precision=precision)
    assert curve[-1].validation_accuracy > 0.95
    assert curve[-1].train_loss < curve[0].train_loss / 2
    assert [point.epoch for point in curve] == [1, 2, 3, 4, 5, 6]


def test_a_task_without_a_signal_is_not_learned():
    _, curve = fit(task(90, 0, separable=False), task(300, 1, separable=False))
    assert 0.2 < curve[-1].validation_accuracy < 0.47


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    runs = [fit(task(40, 0), task(12, 1), seed=seed, epochs=2) for seed in ((0, 0), (0, 0), (0, 1), (1, 0))]
    weights = [torch.cat([value.flatten() for value in model.state_dict().values()]) for model, _ in runs]
    assert torch.equal(weights[0], weights[1]) and runs[0][1] == runs[1][1]
    assert not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[3])


def test_a_fit_neither_depends_on_nor_disturbs_the_global_generator():
    torch.manual_seed(1)
    _, first = fit(task(20, 0), task(12, 1), epochs=1)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), after)
    assert fit(task(20, 0), task(12, 1), epochs=1)[1] == first


@pytest.mark.parametrize("images", [2, 3, 8, 9, 16, 17, 30])
def test_batches_hold_every_image_once_and_none_is_of_one(images):
    batches = split_into_batches(torch.arange(images), 8)
    assert torch.equal(torch.cat(batches), torch.arange(images))
    assert all(2 <= len(batch) <= 9 for batch in batches)


def test_maps_of_one_position_and_a_remainder_of_one_image_can_be_trained_on():
    model, curve = fit(task(33, 0, size=1), task(7, 1, size=1))
    assert np.isfinite(curve[-1].validation_loss)
    assert conv_log_probabilities(model, task(1, 2, size=1)[0], "float32").shape == (1, 3)


def test_training_meets_both_views():
    images, labels = task(40, 0)
    mirrored = images.copy()
    mirrored[:, 1] = 0
    same, other = (fit((x, labels), task(12, 1), epochs=1)[1][-1].train_loss for x in (images, mirrored))
    assert same != other
    # With class information in view 1 alone, about half of the training images have it.
    images[:, 0] = np.random.default_rng(5).normal(size=images[:, 0].shape)
    signal = images[:, [1]]
    assert fit((images, labels), (signal, labels), epochs=12)[1][-1].validation_accuracy > 0.8


def test_evaluation_looks_at_view_0_alone_and_is_a_distribution():
    model, _ = fit(task(40, 0), task(12, 1), epochs=1)
    images, _ = task(9, 2)
    garbage = images.copy()
    garbage[:, 1] = 1e4
    found = conv_log_probabilities(model, images, "float32")
    np.testing.assert_array_equal(found, conv_log_probabilities(model, garbage, "float32"))
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)


def test_the_curve_is_that_of_the_probe_as_the_last_epoch_left_it():
    validation = task(30, 1)
    model, curve = fit(task(40, 0), validation, epochs=3)
    found = conv_log_probabilities(model, validation[0], "float32")
    assert (found.argmax(axis=1) == validation[1]).mean() == curve[-1].validation_accuracy
    assert -found[np.arange(30), validation[1]].mean() == pytest.approx(curve[-1].validation_loss)
