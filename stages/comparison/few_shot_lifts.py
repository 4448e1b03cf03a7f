"""Lifts with few labels: the tests of `lifts`, of the ridge probe fitted to some labels of each class.

All representations and pretraining seeds share the draws of labelled images, so a lift's test is paired over draws,
too: its crossed variance (`variance`) is estimated from the differences, a table of pretraining seeds by draws by
images. The effect that a draw has on both representations cancels. Pretraining seeds of two encoders are paired by
their number, as the same number starts from the same weights; pixels have no seeds and are paired with each.

Holm's correction (`lifts`) is over one family: all lifts here, of every number of labels, domain, view and pair. The
ridge probe's lifts with all labels belong to its family in `lifts`.
"""

import numpy as np
import pandas as pd

from stages.comparison.estimates import Estimates
from stages.comparison.label_efficiency import HEAD
from stages.comparison.lifts import holm, p_value, tested_columns
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS, FEW_SHOT_LIFTS
from stages.probing.tables import DEPTH_HEAD

PAIR = ["domain", "view", "representation", "layer", "over", "over_layer"]


def few_shot_lifts(
    representations: list[ProbedRepresentation], estimates: Estimates, lifts: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """The lifts of the ridge probe with few labels, of every pair and view that `lifts` has of it with all.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer, `HEAD` and shots.
        lifts: as by `stages.comparison.lifts.lift_table`.
        seed: of the study.

    Returns:
        `FEW_SHOT_LIFTS`, fewest labels first within a pair. `p_adjusted` is Holm's; `win` is 1 where the interval lies
        above zero and p_adjusted is below 0.05.
    """
    by_name = {representation.name: representation for representation in representations}
    pairs = lifts.loc[lifts["head"] == DEPTH_HEAD, PAIR].drop_duplicates()
    rows, tests = [], {}
    for pair in pairs.itertuples(index=False, name=None):
        domain, _, *places = pair
        first, second = (
            {few.shots: few for few in by_name[name].few_shot[domain, layer] if few.shots != "all"}
            for name, layer in (places[:2], places[2:])
        )
        for shots, few in first.items():
            key = (domain, *places, shots)
            if key not in tests:
                keys = [(name, layer, HEAD, shots) for name, layer in (places[:2], places[2:])]
                difference = estimates[domain][keys[0]] - estimates[domain][keys[1]]
                generator = np.random.default_rng([seed, *" ".join(key).encode()])
                tests[key] = difference.with_seeds(
                    few.hits.astype(np.int8) - second[shots].hits.astype(np.int8),
                    generator.standard_normal(len(difference.by_image)),
                )
            rows.append((pair, few, key))
    intervals = {key: test.interval() for key, test in tests.items()}
    p = {key: p_value(interval) for key, interval in intervals.items()}
    p_adjusted = dict(zip(p, holm(list(p.values())), strict=True))
    return FEW_SHOT_LIFTS.frame(
        [
            dict(zip(PAIR, pair, strict=True))
            | {"shots": few.shots, "labels": round(few.labels, DIGITS)}
            | tested_columns(intervals[key], tests[key].interval_over_classes(), p[key], p_adjusted[key])
            for pair, few, key in rows
        ]
    )
