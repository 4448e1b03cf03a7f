"""What each learned encoder adds over what it is compared with: paired tests, corrected for how many there are.

A lift is the encoder's test accuracy minus the other's, on the same images. Its test is a paired t test whose
standard error accounts for images and seeds (`variance`); with one seed on both sides it is the paired t test over
images. Seeds of the two are taken as independent; what they share (first weights, order of batches) would make them
alike, and the true standard error smaller.

The primary endpoint was declared before the run, and is tested by itself: `primary`. All other tests are secondary.
Holm's correction (1979, A simple sequentially rejective multiple test procedure) holds the chance of one false win or
more in a family at 5 %, however the tests depend on one another. A family is all other lifts of one head: both domains,
all views, every pair, as they are read as one table. Views that share a layer are one test.
"""

import numpy as np
import pandas as pd
from scipy.special import nctdtrinc, stdtr, stdtrit

from stages.comparison.estimates import Estimates, Interval
from stages.comparison.layers import VIEWS
from stages.comparison.primary import SEQUENCE, Endpoint, fixed_sequence
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import DIGITS, LIFTS
from stages.probing.tables import FINETUNE, HEADS
from stages.study.representations import OBJECTIVES, sees_color
from stages.study.verdicts import ALPHA
from stages.study.vocabulary import DOMAINS

POWER = 0.8
LEAST_FREEDOM = 0.5  # below it the noncentrality is above 198 and SciPy's inverse need not converge


def lift_table(representations: list[ProbedRepresentation], estimates: Estimates, endpoint: Endpoint) -> pd.DataFrame:
    """Every lift with its interval, its test and its minimum detectable lift.

    Args:
        representations: as compared.
        estimates: by domain, then by representation, layer and head.
        endpoint: the primary endpoint.

    Returns:
        `LIFTS`. `p` is two-sided. `p_adjusted` is that of the fixed sequence where `primary` is 1, else Holm's. `win`
        is 1 where the interval lies above zero and p_adjusted is below 0.05; `minimum_detectable` is as by
        `minimum_detectable`. `lift_low_classes` and `lift_high_classes` are the interval over another choice of
        classes, too. Empty where no encoder is compared that learned from colour.
    """
    rows, tests, over_classes, primary = [], {}, {}, {}
    for domain in DOMAINS:
        for head in (*HEADS, FINETUNE):
            for view in VIEWS:
                for subject, other in _pairs(representations, endpoint):
                    layer, over_layer = subject.views(domain, head).get(view), _layer(other, domain, head, view)
                    if not layer or not over_layer:
                        continue
                    key = (domain, head, subject.name, layer, other.name, over_layer)
                    if key not in tests:
                        pair = (
                            estimates[domain][subject.name, layer, head],
                            estimates[domain][other.name, over_layer, head],
                        )
                        difference = pair[0] - pair[1]
                        tests[key], over_classes[key] = difference.interval(), difference.interval_over_classes()
                    rows.append((domain, head, view, *key[2:], key))
                    if domain in SEQUENCE and view == "primary" and (head, subject.name, other.name) == endpoint:
                        primary[domain] = key
    p = {key: p_value(test) for key, test in tests.items()}
    declared = [primary[domain] for domain in SEQUENCE if domain in primary]
    adjusted = dict(zip(declared, fixed_sequence([p[key] for key in declared]), strict=True))
    for head in (*HEADS, FINETUNE):
        family = [key for key in tests if key[1] == head and key not in declared]
        adjusted |= dict(zip(family, holm([p[key] for key in family]), strict=True))
    return LIFTS.frame(
        [
            dict(zip(LIFTS.text, row, strict=True))
            | tested_columns(tests[key], over_classes[key], p[key], adjusted[key])
            | {"primary": int(key in declared)}
            for *row, key in rows
        ]
    )


def p_value(lift: Interval) -> float:
    """Two-sided p of Student's t for no difference; 1 where there is none, 0 where nothing varies and there is one."""
    if lift.error == 0:
        return float(lift.value == 0)
    return float(2 * stdtr(lift.freedom, -abs(lift.value) / lift.error))


def holm(p: list[float]) -> np.ndarray:
    """Holm's adjusted p of a family: (M,) float64, in the order given.

    The i-th smallest of M is multiplied by M - i + 1, and is at least as large as those before it.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.array(p, np.float64)[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(stepped))
    return adjusted


def minimum_detectable(lift: Interval) -> float:
    """The true lift that a two-sided t test at 5 % detects with a power of 80 %, given this standard error.

    With f degrees of freedom, t has a noncentral t distribution, and its noncentrality is the true lift over the
    standard error (Cohen 1988, Statistical Power Analysis, chapter 2). The noncentrality at which t exceeds the
    critical value t_f(97.5 %) with probability 0.8 is 1.96 + 0.84 where f is infinite and 5.65 where f is 2. A
    significant t of the wrong sign, of probability 1e-6 at most, is no detection. Of one test by itself: Holm's
    correction asks for more.

    Returns:
        The lift, at most 1, the largest difference of accuracies; 1 below half a degree of freedom, too.

    >>> round(minimum_detectable(Interval(0.0, -0.02, 0.02, 0.01, np.inf)), 4)
    0.028
    """
    if lift.freedom < LEAST_FREEDOM:
        return 1.0
    critical = stdtrit(lift.freedom, 1 - ALPHA / 2)
    return min(1.0, float(nctdtrinc(lift.freedom, 1 - POWER, critical)) * lift.error)


def tested_columns(lift: Interval, over_classes: Interval, p: float, p_adjusted: float) -> dict[str, float]:
    """The columns of one lift, rounded: `win` is 1 where it lies above zero and p_adjusted is below 0.05."""
    numbers = {
        "lift": lift.value,
        "lift_low": lift.low,
        "lift_high": lift.high,
        "lift_low_classes": over_classes.low,
        "lift_high_classes": over_classes.high,
        "minimum_detectable": minimum_detectable(lift),
    }
    columns = {name: round(number, DIGITS) for name, number in numbers.items()}
    columns |= {name: float(f"{number:.{DIGITS}g}") for name, number in (("p", p), ("p_adjusted", p_adjusted))}
    return columns | {"win": int(columns["lift_low"] > 0 and p_adjusted < ALPHA)}


def typical_detectable(lifts: pd.DataFrame, domain: str, head: str) -> float | None:
    """The median `minimum_detectable` of a domain's and head's lifts, view `primary`; None where there are none."""
    rows = lifts[(lifts["domain"] == domain) & (lifts["head"] == head) & (lifts["view"] == "primary")]
    return round(float(rows["minimum_detectable"].median()), DIGITS) if len(rows) else None


def _pairs(
    representations: list[ProbedRepresentation], endpoint: Endpoint
) -> list[tuple[ProbedRepresentation, ProbedRepresentation]]:
    """Each encoder that learned from colour, with pixels, with those that did not, and with each other once.

    An encoder that sees lightness is not compared with a control that sees colour, unless the primary endpoint asks so.
    """
    learned = [subject for subject in representations if subject.name in OBJECTIVES]
    others = [other for other in representations if other.name not in OBJECTIVES]
    # Of two objectives the later is compared with the earlier; the primary endpoint may ask for the reverse.
    primary = endpoint.subject, endpoint.over

    def are_compared(subject: ProbedRepresentation, other: ProbedRepresentation) -> bool:
        if (subject.name, other.name) == primary:
            return True
        if (other.name, subject.name) == primary or other in learned[learned.index(subject) :]:
            return False
        return other.kind == "pixels" or sees_color(subject.name) or not sees_color(other.name)

    return [(subject, other) for subject in learned for other in [*others, *learned] if are_compared(subject, other)]


def _layer(representation: ProbedRepresentation, domain: str, head: str, view: str) -> str | None:
    views = representation.views(domain, head)
    return views.get(view, views.get("primary"))
