"""The answer in sentences, from the numbers alone.

The objective that a sentence speaks of is chosen on validation images, like its layer; the representation that it is
measured against is chosen against it: the strongest on the test images. So luck with the test images can make
an answer look worse than it is, but not better.
"""

from dataclasses import dataclass

import pandas as pd

from stages.reporting.numbers import percent, percent_range, points, points_range, probability
from stages.reporting.results import StudyResults
from stages.study.heads import HEADS
from stages.study.representations import COLOR_PIXELS, LABELLED, OBJECTIVES, sees_color
from stages.study.vocabulary import DOMAINS

WIN, BEHIND, UNDECIDED = "beats", "falls behind", "no difference shown"


@dataclass(frozen=True)
class Finding:
    """One domain's best objective: its accuracy, and its lift over the strongest of each kind of opponent.

    Attributes:
        accuracy, low, high: shares of 0..1; the interval may be NaN.
        lifts: kind of opponent (`pixels with colour`, ...) -> its row of metrics/lifts.csv.
    """

    domain: str
    head: str
    objective: str
    layer: str
    accuracy: float
    low: float
    high: float
    chance: float | None
    lifts: dict[str, pd.Series]


def verdict(lift: pd.Series) -> str:
    """What a row of metrics/lifts.csv allows to say: `WIN`, `BEHIND` or `UNDECIDED`."""
    if lift["win"] == 1:
        return WIN
    return BEHIND if lift["lift_high"] < 0 and lift["p_holm"] < 0.05 else UNDECIDED


def main_head(results: StudyResults) -> str | None:
    """The head that the answer speaks of: the first of `HEADS` that was probed."""
    return next((head for head in HEADS if (results.comparison["head"] == head).any()), None)


def find_answers(results: StudyResults, *, from_color: bool) -> list[Finding]:
    """The best objective of each domain among those that see lightness only, or among those that see colour.

    It is the one whose chosen layer has the highest validation accuracy (ridge probe); a domain where none was probed
    has no finding.
    """
    head, findings = main_head(results), []
    names = [name for name in OBJECTIVES if sees_color(name) == from_color]
    for domain in DOMAINS:
        depth, means = results.depth, results.comparison
        candidates = depth[(depth["domain"] == domain) & (depth["chosen"] == 1) & depth["representation"].isin(names)]
        for best in candidates.nlargest(1, "validation_accuracy").itertuples():
            rows = means[(means["domain"] == domain) & (means["head"] == head) & (means["layer"] == best.layer)]
            for row in rows[rows["representation"] == best.representation].itertuples():
                findings.append(
                    Finding(
                        domain, head, row.representation, row.layer, row.accuracy, row.accuracy_low, row.accuracy_high,
                        results.chance.get(domain), _strongest(results.lifts, domain, head, row),
                    )
                )  # fmt: skip
    return findings


def sentence(finding: Finding) -> str:
    """One sentence; it says `beats` of a win and of nothing else."""
    chance = "" if finding.chance is None else f"; chance: {percent(finding.chance)} %"
    interval = percent_range(finding.low, finding.high)
    interval = f"{interval}; " if interval else ""
    start = (
        f"On {DOMAINS[finding.domain].phrase}, the objective and layer chosen on validation images, "
        f"{_placed(finding.objective, finding.layer)}, "
        f"is right on {percent(finding.accuracy)} % of test images ({interval}{HEADS[finding.head]}{chance})"
    )
    parts = [_comparison(kind, lift) for kind, lift in finding.lifts.items()]
    return f"{start}: {'; '.join(parts)}." if parts else f"{start}; there was nothing to compare it with."


def _comparison(kind: str, lift: pd.Series) -> str:
    opponent = f"the best {kind}, {_placed(lift['over'], lift['over_layer'])}"
    numbers = f"{points(lift['lift'])} points, {points_range(lift['lift_low'], lift['lift_high'])}"
    words = verdict(lift)
    if words != UNDECIDED:
        return f"it {words} {opponent} ({numbers})"
    p, detectable = probability(lift["p_holm"]), percent(lift["minimum_detectable"])
    facts = f"{numbers}; p {p} by Holm; minimum detectable lift at 80 % power, uncorrected: {detectable} points"
    return f"against {opponent}, no difference is shown ({facts})"


def _placed(representation: str, layer: str) -> str:
    """A representation with its layer, where it has more than one: `rgb`, `colorization (mid)`."""
    return representation if layer == "pixels" else f"{representation} ({layer})"


def _strongest(lifts: pd.DataFrame, domain: str, head: str, subject) -> dict[str, pd.Series]:
    """Of each kind of opponent the one over which the subject's lift is smallest."""
    rows = lifts[(lifts["domain"] == domain) & (lifts["head"] == head)]
    rows = rows[(rows["representation"] == subject.representation) & (rows["layer"] == subject.layer)]
    # Both views hold a layer that is the headline and the best: the best's opponents are at their best, too.
    rows = rows[rows["view"] == ("best" if (rows["view"] == "best").any() else "headline")]
    controls = "control" if sees_color(subject.representation) else "lightness-only control"
    groups = {
        "pixels with colour": rows[rows["over"].isin(COLOR_PIXELS)],
        controls: rows[~rows["over"].isin([*COLOR_PIXELS, *OBJECTIVES, *LABELLED])],
    }
    return {kind: group.loc[group["lift"].idxmin()] for kind, group in groups.items() if group["lift"].notna().any()}
