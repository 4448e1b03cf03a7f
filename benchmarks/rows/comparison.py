"""Every pair of representations compared over the test images of the full study."""

import itertools

import numpy as np

from benchmarks.measure import Row, Scale, in_turns
from stages.comparison.estimates import bootstrap_estimates

REPRESENTATIONS, LAYERS, HEADS, SEEDS, CLASSES = 11, 2, 4, 3, 81


def measure(scale: Scale) -> list[Row]:
    images, resamples = scale.size(25_000, 200), scale.size(10_000, 100)
    rng = np.random.default_rng(0)
    keys = [
        (f"representation_{number}", layer, head)
        for number in range(REPRESENTATIONS)
        for layer in range(LAYERS)
        for head in range(HEADS)
    ]
    hits = {key: (rng.random((1, SEEDS, images)) < 0.2).astype(np.uint8) for key in keys}
    classes = rng.integers(0, CLASSES, images)
    pairs = [
        ((first, layer, head), (second, layer, head))
        for layer in range(LAYERS)
        for head in range(HEADS)
        for first, second in itertools.combinations(dict.fromkeys(key[0] for key in keys), 2)
    ]

    def ours():
        columns = bootstrap_estimates(hits, classes, resamples=resamples, seed=[0, 0])
        for first, second in pairs:
            (columns[first] - columns[second]).interval()

    def one_pair():
        first, second = (hits[key].mean(axis=(0, 1)) for key in pairs[0])
        draw, difference = np.random.default_rng(0), first - second
        np.quantile([difference[draw.integers(0, images, images)].mean() for _ in range(resamples)], [0.025, 0.975])

    took, others = in_turns(ours, one_pair, scale.repeats)
    note = (
        f"{images} images, {resamples} resamples, {len(keys)} columns; "
        f"the straightforward way on one pair, times {len(pairs)}"
    )
    whole = [len(pairs) * each for each in others]
    return [Row(f"compare: {len(pairs)} pairs", "under 5 s", "s", took, whole, higher=False, note=note)]
