import numpy as np
import pytest
from scipy import stats

from stages.comparison.estimates import bootstrap_estimates

SEED = [0, 0]


def columns(hits, resamples=500, seed=SEED):
    return bootstrap_estimates(hits, np.arange(next(iter(hits.values())).shape[2]) % 4, resamples=resamples, seed=seed)


def draw(rng, seeds, images, accuracy=0.5):
    return (rng.random((1, seeds, images)) < accuracy).astype(np.uint8)


def crossed(rng, studies, *, seeds, images, spread):
    """Hits (studies, 2 arms, seeds, images) of two arms, and the accuracies of which they are samples.

    An image is right where a threshold is passed by the sum of how easy it is, how good the seed is, and noise:
    by arms with thresholds 1 and 0.5, of which both see the same images.
    """
    easy = rng.standard_normal((studies, 1, 1, images))
    good = spread * rng.standard_normal((studies, 2, seeds, 1))
    noise = rng.standard_normal((studies, 2, seeds, images))
    thresholds = np.array([1.0, 0.5])
    hits = easy + good + noise > thresholds[:, None, None]
    return hits.astype(np.uint8), stats.norm.sf(thresholds, scale=np.sqrt(2 + spread**2))


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.2])
def test_about_95_of_100_intervals_hold_the_truth_and_an_interval_over_images_alone_falls_short(spread):
    studies = 300
    hits, truth = crossed(np.random.default_rng(1), studies, seeds=5, images=200, spread=spread)
    covered, images_alone = np.zeros((2, studies)), np.zeros(studies)
    for number, (first, second) in enumerate(hits):
        found = columns({("a",): first[None], ("b",): second[None]}, resamples=400, seed=[number])
        lift = found["b",] - found["a",]
        for row, (own, true) in enumerate(((found["a",], truth[0]), (lift, truth[1] - truth[0]))):
            estimate = own.interval()
            covered[row, number] = estimate.low <= true <= estimate.high
        error = 1.96 * lift.images.std(ddof=1) / np.sqrt(200)
        images_alone[number] = abs(lift.images.mean() - (truth[1] - truth[0])) <= error
    # Two standard errors of a share of 300 that is 0.95 in truth: 0.025. No seed effect leaves it on the safe side.
    assert (covered.mean(axis=1) >= 0.925).all() and (covered.mean(axis=1) <= 0.985).all()
    if spread:
        assert images_alone.mean() < covered[1].mean() - 0.05
    if spread == 0.2:
        assert images_alone.mean() < 0.75


@pytest.mark.parametrize(
    ("pretrainings", "least", "most"), [(2, (0.83, 0.92), (0.93, 0.99)), (3, (0.90, 0.93), (1, 1))]
)
def test_two_pretrainings_are_few(pretrainings, least, most):
    """As the docstring of `estimates` says: of two an accuracy's interval is too narrow, and a lift's is not."""
    studies, images, spread = 400, 1000, 0.2
    hits, truth = crossed(np.random.default_rng(2), studies, seeds=pretrainings, images=images, spread=spread)
    covered = np.zeros((2, studies), bool)
    for number, tables in enumerate(hits):
        found = columns({(name,): table[:, None] for name, table in zip("ab", tables, strict=True)}, 300, [number])
        for row, (own, true) in enumerate(((found["a",], truth[0]), (found["b",] - found["a",], truth[1] - truth[0]))):
            estimate = own.interval()
            covered[row, number] = estimate.low <= true <= estimate.high
    assert (covered.mean(axis=1) >= least).all() and (covered.mean(axis=1) <= most).all(), covered.mean(axis=1)


def test_an_interval_of_one_seed_is_the_bootstrap_s_and_agrees_with_student_s():
    hits = draw(np.random.default_rng(0), 1, 2000, 0.4)
    estimate = columns({("a",): hits}, resamples=20_000)["a",].interval()
    half = stats.t.ppf(0.975, 1999) * stats.sem(hits.ravel())
    assert estimate.value == hits.mean() and estimate.freedom == pytest.approx(1999)
    assert (estimate.low, estimate.high) == pytest.approx((hits.mean() - half, hits.mean() + half), abs=0.03 * half)


def test_the_same_answers_have_a_difference_of_exactly_0():
    hits = draw(np.random.default_rng(0), 1, 50)
    found = columns({("a",): hits, ("b",): hits})
    assert (found["a",] - found["b",]).interval()[:4] == (0, 0, 0, 0)


def test_seeds_widen_an_interval_and_those_of_two_representations_are_independent():
    rng = np.random.default_rng(0)
    hits = {(name,): np.concatenate([draw(rng, 1, 500, p) for p in (0.3, 0.5, 0.7)], axis=1) for name in "ab"}
    found = columns(hits, resamples=20_000)
    first, second = found["a",], found["b",]
    assert first.by_seed.std() == pytest.approx(np.sqrt(first.seeds[0].variance), rel=0.02)
    assert abs(np.corrcoef(first.by_seed, second.by_seed)[0, 1]) < 0.02
    alone = columns({("a",): hits["a",][:, :1]})["a",].interval()
    assert first.interval().high - first.interval().low > 2 * (alone.high - alone.low)


def test_intervals_follow_from_the_seed_and_not_from_what_else_is_compared():
    rng = np.random.default_rng(0)
    hits = {(name, "conv"): draw(rng, 3, 100) for name in "abc"}
    whole, fewer, other = columns(hits), columns({key: hits[key] for key in list(hits)[1:]}), columns(hits, seed=[1, 0])
    for key in fewer:
        assert fewer[key].interval() == whole[key].interval() != other[key].interval()


def test_an_accuracy_s_interval_stays_between_0_and_1():
    hits = np.zeros((1, 2, 4), np.uint8)
    hits[0, 0] = 1  # one seed always right, one never: with two seeds, the interval says nothing
    estimate = columns({("a",): hits})["a",].interval()
    assert (estimate.low, estimate.high) == (0, 1)
