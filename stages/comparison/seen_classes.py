"""What it is worth that an encoder saw the classes: a crossover of two encoders and two sets of classes.

The encoder of the first objective, here `subject`, saw the classes of the task `matched` and not those of `out`;
`swapped` saw those of `out` instead. Both are probed in both tasks, and the effect of having seen the classes is
    1/2 [(swapped - subject in out) + (subject - swapped in matched)].
The difficulty of a task's classes is the same for both encoders and cancels in each difference. The general quality of
an encoder enters the two differences with opposite signs and cancels in their sum (a two-period crossover: Senn 2002,
Cross-over Trials in Clinical Research, chapter 3).

Differences are paired over the images of a task; the two tasks share no images. Seeds are paired as well: with
pretraining seed k the two encoders start from the same weights and see batches of the same order. So the effect is
computed for each seed, and its variance over seeds is that of `stages.comparison.variance` for this contrast. Intervals
account for images and seeds as those of lifts do (`stages.comparison.estimates`), and, beside that, for another choice
of classes in each task, by the two-stage bootstrap (`stages.comparison.class_estimates`). Another choice of classes can
only add to what varies, yet with few seeds its estimate may be the smaller one: the wider of the two is then taken.

Two null hypotheses are tested, both by Student's t: that the effect is zero, two-sided; and, by two one-sided tests,
that it is `compare.equivalence` or more in either direction (TOST: Schuirmann 1987, Journal of Pharmacokinetics and
Biopharmaceutics 15). The effect does not matter where the latter is rejected at 5 % and the 90 % interval, a
bootstrap's, lies within the margin. A difference that is not significant is no evidence of equality.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from stages.comparison.class_estimates import class_values
from stages.comparison.estimates import BootstrapEstimate, Interval, bootstrap_estimates
from stages.comparison.lifts import minimum_detectable, p_value
from stages.comparison.tables import DIGITS, SEEN_CLASSES
from stages.comparison.task_hits import TaskHits
from stages.comparison.variance import SeedVariance, combined_error, contrast_seed_variance
from stages.dataset.manifest import SWAPPED
from stages.study.representations import PIXELS
from stages.study.seen_classes import CLASSES, IMAGES, verdict

UNTRAINED = (*PIXELS, "random")


class Part(NamedTuple):
    """A term of a contrast, which is a weighted sum: an accuracy in one task, or the difference of two.

    Attributes:
        estimate: of the accuracy or difference.
        table: (pretraining seeds, probe seeds, N), right answers or their differences.
        weight: in the sum.
    """

    estimate: BootstrapEstimate
    table: np.ndarray
    weight: float


class Contrast(NamedTuple):
    """A weighted sum with its intervals and tests.

    Attributes:
        interval: 95 %.
        low_90, high_90: 90 %, of the two one-sided tests.
        p: two-sided, of a sum of zero.
        p_equivalence: of a sum as large as the margin or larger, in either direction.
    """

    interval: Interval
    low_90: float
    high_90: float
    p: float
    p_equivalence: float


def seen_class_table(
    tasks: dict[str, dict[str, TaskHits]], subject: str | None, *, margin: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Accuracies in the tasks `matched` and `out`, and the effect of having seen the classes.

    Args:
        tasks: as by `stages.comparison.task_hits.read_task_hits`.
        subject: the encoder that `swapped` is compared with; None where it was not probed.
        margin: of equivalence, a share of 0..1.
        resamples: of the bootstrap.
        seed: of the study.

    Returns:
        `SEEN_CLASSES`. `accuracy` of each representation in each task; `difference`, seen minus unseen: of `swapped`
        and `subject` in each task or, without `swapped`, of `subject` between the tasks; and `effect`, where both were
        probed. Each number has a row for each of the two intervals. Empty where there is no task `matched`.
    """
    if "matched" not in tasks:
        return SEEN_CLASSES.frame([])
    estimates = {
        task: bootstrap_estimates(
            {(name,): answers.hits for name, answers in by_name.items()},
            next(iter(by_name.values())).labels,
            resamples=resamples,
            seed=[seed, number],  # of domain `out` as in the other tables
        )
        for number, (task, by_name) in enumerate(tasks.items(), start=1)
    }
    rows = []
    for task, by_name in tasks.items():
        for name in by_name:
            estimate, seen = estimates[task][name,], int(_saw(name, task))
            for covered, interval in ((IMAGES, estimate.interval()), (CLASSES, estimate.interval_over_classes())):
                numbers = (interval.value, interval.low, interval.high)
                rows.append(("accuracy", name, "", task, seen, covered, *numbers, *[np.nan] * 5, ""))

    def part(task: str, name: str, weight: float, over: str | None = None) -> Part:
        estimate, table = estimates[task][name,], tasks[task][name].hits.astype(np.float64)
        if over is None:
            return Part(estimate, table, weight)
        return Part(estimate - estimates[task][over,], table - tasks[task][over].hits, weight)

    contrasts = []
    if subject and SWAPPED in tasks["matched"]:
        in_out, in_matched = part("out", SWAPPED, 1, subject), part("matched", subject, 1, SWAPPED)
        halves = [in_out._replace(weight=0.5), in_matched._replace(weight=0.5)]
        contrasts = [
            ("difference", SWAPPED, subject, "out", [in_out]),
            ("difference", subject, SWAPPED, "matched", [in_matched]),
            ("effect", subject, SWAPPED, "", halves),
        ]
    elif subject:
        contrasts = [("difference", subject, "", "", [part("matched", subject, 1), part("out", subject, -1)])]
    for quantity, *names, parts in contrasts:
        generator = np.random.default_rng([seed, *"-".join((quantity, *names)).encode()])
        deviates = generator.standard_normal(resamples)
        over_images = contrast(parts, deviates, margin, over_classes=False)
        over_classes = widest(over_images, contrast(parts, deviates, margin, over_classes=True))
        for covered, (interval, *tests) in ((IMAGES, over_images), (CLASSES, over_classes)):
            low_90, high_90, p, p_equivalence = tests
            words = ""
            if quantity == "effect":
                words = verdict(interval.low, interval.high, p, low_90, high_90, p_equivalence, margin)
            numbers = (*interval[:3], *tests, minimum_detectable(interval))
            rows.append((quantity, *names, 1, covered, *numbers, words))
    return SEEN_CLASSES.frame(rows).round(DIGITS)


def contrast(parts: list[Part], deviates: np.ndarray, margin: float, *, over_classes: bool) -> Contrast:
    """A weighted sum of parts of tasks that share no images, with the same seeds.

    Args:
        parts: of different tasks.
        deviates: (resamples,) standard normal, for the seeds.
        margin: of equivalence.
        over_classes: account for another choice of classes, too.
    """
    value = sum(part.weight * float(part.estimate.images.mean()) for part in parts)
    tables, within, terms = [], np.zeros(len(deviates)), []
    for estimate, table, weight in parts:
        if over_classes:
            alone = replace(estimate.over_classes, seeds=(), by_seed=np.zeros(len(deviates)))
            (error, freedom), deviations = alone.standard_error(), alone.deviations()
            variance, table = error**2, class_values(table, alone.groups)
        else:
            count = len(estimate.images)
            variance, freedom, deviations = estimate.images.var(ddof=1) / count, count - 1, estimate.by_image
        within += weight * deviations
        terms.append((weight**2 * float(variance), freedom))
        tables.append((table, weight))
    seeds = contrast_seed_variance(tables)
    images = SeedVariance(sum(square for square, _ in terms), tuple(terms))
    error, freedom = combined_error(0.0, 1, (images, seeds))
    drawn = within + np.sqrt(seeds.variance) * deviates
    low, high, low_90, high_90 = (
        float(np.clip(value + stdtrit(freedom, edge) / ndtri(edge) * np.quantile(drawn, edge), -1, 1))
        for edge in (0.025, 0.975, 0.05, 0.95)
    )
    interval = Interval(value, low, high, error, freedom)
    return Contrast(interval, low_90, high_90, p_value(interval), equivalence_p(interval, margin))


def widest(contrast: Contrast, other: Contrast) -> Contrast:
    """Of two uncertainties of one sum the greater: outer ends, larger p values, the error that detects less."""
    low, high = min(contrast.interval.low, other.interval.low), max(contrast.interval.high, other.interval.high)
    return Contrast(
        max(contrast.interval, other.interval, key=minimum_detectable)._replace(low=low, high=high),
        min(contrast.low_90, other.low_90),
        max(contrast.high_90, other.high_90),
        max(contrast.p, other.p),
        max(contrast.p_equivalence, other.p_equivalence),
    )


def equivalence_p(interval: Interval, margin: float) -> float:
    """p of the two one-sided t tests that a number lies within `margin` of 0: the larger of the two (Schuirmann 1987).

    >>> round(equivalence_p(Interval(0.0, -1.0, 1.0, 0.5, 10), 1.0), 4)
    0.0367
    """
    if interval.error == 0:
        return float(abs(interval.value) >= margin)
    return float(stdtr(interval.freedom, (abs(interval.value) - margin) / interval.error))


def seen_class_scalars(table: pd.DataFrame) -> dict[str, float]:
    """`seen_classes` of metrics/comparison.json: finite scalars; none where there is no task `matched`."""
    scalars = {}
    effects = table[table["quantity"] == "effect"].set_index("accounts_for")
    if len(effects):
        row, classes = effects.loc[IMAGES], effects.loc[CLASSES]
        names = ("low", "high", "p", "p_equivalence", "minimum_detectable")
        scalars = {"effect": row["value"]} | {f"effect_{name}": row[name] for name in names[:2]}
        scalars |= {f"effect_{name}_classes": classes[name] for name in names[:2]}
        scalars |= {name: row[name] for name in names[2:]}
    differences = table[(table["quantity"] == "difference") & (table["accounts_for"] == IMAGES)]
    named = {name for names in ("representation", "over") for name in differences[names] if name}
    accuracies = table[(table["quantity"] == "accuracy") & (table["accounts_for"] == IMAGES)]
    for row in accuracies[accuracies["representation"].isin(named)].itertuples():
        scalars.setdefault(row.representation, {})["seen" if row.seen else "unseen"] = row.value
    return scalars


def _saw(representation: str, task: str) -> bool:
    """Whether it was trained on images of the task's classes."""
    if representation in UNTRAINED:
        return False
    return (task == "out") == (representation == SWAPPED)
