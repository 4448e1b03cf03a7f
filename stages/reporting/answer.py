"""The answer in sentences, from the numbers alone.

The objective that a sentence speaks of is chosen on validation images, like its layer; the representation that it is
measured against is chosen against it: the strongest on the test images. So luck with the test images can make
an answer look worse than it is, but not better.
"""

from dataclasses import dataclass

import pandas as pd

from stages.reporting.evidence import Evidence
from stages.reporting.names import COLOR_PIXELS, DOMAINS, HEADS, OBJECTIVES, SEES_COLOR, placed
from stages.reporting.numbers import percent, percent_range, points, points_range, probability

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


def main_head(evidence: Evidence) -> str | None:
    """The head that the answer speaks of: the first of `HEADS` that was probed."""
    return next((head for head in HEADS if (evidence.comparison["head"] == head).any()), None)


def find_answers(evidence: Evidence, *, sees_color: bool) -> list[Finding]:
    """The best objective of each domain among those that see lightness only, or among those that see colour.

    It is the one whose chosen layer has the highest validation accuracy (ridge probe); a domain where none was probed
    has no finding.
    """
    head, findings = main_head(evidence), []
    names = [name for name in OBJECTIVES if (name in SEES_COLOR) == sees_color]
    for domain in DOMAINS:
        depth, means = evidence.depth, evidence.comparison
        candidates = depth[(depth["domain"] == domain) & (depth["chosen"] == 1) & depth["representation"].isin(names)]
        for best in candidates.nlargest(1, "validation_accuracy").itertuples():
            own = means[(means["domain"] == domain) & (means["head"] == head) & (means["layer"] == best.layer)]
            for row in own[own["representation"] == best.representation].itertuples():
                findings.append(
                    Finding(
                        domain, head, row.representation, row.layer, row.accuracy, row.accuracy_low, row.accuracy_high,
                        evidence.chance.get(domain), _strongest(evidence.lifts, domain, head, row),
                    )
                )  # fmt: skip
    return findings


def sentence(finding: Finding) -> str:
    """One sentence; it says `beats` of a win and of nothing else."""
    guess = "" if finding.chance is None else f"; guessing: {percent(finding.chance)} %"
    interval = percent_range(finding.low, finding.high)
    interval = f"{interval}; " if interval else ""
    start = (
        f"On {DOMAINS[finding.domain][2]}, the objective and layer chosen on validation images, "
        f"{placed(finding.objective, finding.layer)}, "
        f"is right on {percent(finding.accuracy)} % of test images ({interval}{HEADS[finding.head]}{guess})"
    )
    parts = [_comparison(kind, lift) for kind, lift in finding.lifts.items()]
    return f"{start}: {'; '.join(parts)}." if parts else f"{start}; there was nothing to compare it with."


def _comparison(kind: str, lift: pd.Series) -> str:
    opponent = f"the best {kind}, {placed(lift['over'], lift['over_layer'])}"
    numbers = f"{points(lift['lift'])} points, {points_range(lift['lift_low'], lift['lift_high'])}"
    said = verdict(lift)
    if said != UNDECIDED:
        return f"it {said} {opponent} ({numbers})"
    p, detectable = probability(lift["p_holm"]), percent(lift["minimum_detectable"])
    facts = f"{numbers}; p {p} by Holm; a test by itself finds {detectable} points in 80 of 100 such test sets"
    return f"against {opponent}, no difference is shown ({facts})"


def _strongest(lifts: pd.DataFrame, domain: str, head: str, subject) -> dict[str, pd.Series]:
    """Of each kind of opponent the one over which the subject's lift is smallest."""
    own = lifts[(lifts["domain"] == domain) & (lifts["head"] == head)]
    own = own[(own["representation"] == subject.representation) & (own["layer"] == subject.layer)]
    # Both views hold a layer that is the headline and the best: the best's opponents are at their best, too.
    own = own[own["view"] == ("best" if (own["view"] == "best").any() else "headline")]
    pixels = own["over"].isin(COLOR_PIXELS)
    control = "control" if subject.representation in SEES_COLOR else "lightness-only control"
    controls = own["over"].isin(["lightness", "lightness_small", "random", "reconstruction", "autoencoder"])
    groups = {"pixels with colour": own[pixels], control: own[controls]}
    return {kind: rows.loc[rows["lift"].idxmin()] for kind, rows in groups.items() if rows["lift"].notna().any()}
