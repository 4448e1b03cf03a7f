"""The answer in sentences, from the numbers alone.

The first is the primary endpoint: objective, layer, head and opponent were declared before the run. Of the others,
which are secondary, the objective is chosen without test images, like its layer; the representation that it is
measured against is chosen against it: the strongest on the test images. So luck with the test images can make an answer
look worse than it is, but not better.
"""

from dataclasses import dataclass

import pandas as pd

from stages.reporting.numbers import percent, points_range, probability
from stages.reporting.results import StudyResults
from stages.study.heads import HEADS
from stages.study.representations import COLOR_PIXELS, LABELLED, OBJECTIVES, sees_color
from stages.study.verdicts import UNDECIDED, verdict
from stages.study.vocabulary import DOMAINS, with_layer


@dataclass(frozen=True)
class Finding:
    """The accuracy of one domain's objective, and its lifts: over one opponent, or the strongest of each kind.

    Attributes:
        how: how the objective and its layer were chosen, in words.
        accuracy, low, high: shares of 0..1; the interval may be NaN.
        lifts: what the opponent is (`the best pixels with colour`, ...) -> its row of metrics/lifts.csv.
    """

    how: str
    domain: str
    head: str
    objective: str
    layer: str
    accuracy: float
    low: float
    high: float
    chance: float | None
    lifts: dict[str, pd.Series]


def main_head(results: StudyResults) -> str | None:
    """The head that the answer speaks of: the primary endpoint's, or the first of `HEADS` that was probed."""
    primary = results.lifts.loc[results.lifts["primary"] == 1, "head"]
    probed = (head for head in HEADS if (results.comparison["head"] == head).any())
    return next(iter([*primary, *probed]), None)


def primary_findings(results: StudyResults) -> list[Finding]:
    """The primary endpoint, a finding a domain; none where no objective was probed."""
    lifts = results.lifts
    rows = lifts[(lifts["primary"] == 1) & (lifts["view"] == "primary")]
    return [
        finding
        for _, lift in rows.iterrows()
        for finding in _findings(
            results, lift["domain"], lift["head"], lift["representation"], lift["layer"], "declared before the run",
            {"": lift},
        )
    ]  # fmt: skip


def find_answers(results: StudyResults, *, from_color: bool) -> list[Finding]:
    """The best objective of each domain among those that see lightness only, or among those that see colour.

    It is the one whose chosen layer has the highest cross-validated accuracy (ridge probe); a domain where none was
    probed has no finding.
    """
    head, findings = main_head(results), []
    names = [name for name in OBJECTIVES if sees_color(name) == from_color]
    for domain in DOMAINS:
        depth = results.depth
        candidates = depth[(depth["domain"] == domain) & (depth["chosen"] == 1) & depth["representation"].isin(names)]
        for best in candidates.nlargest(1, "cv_accuracy").itertuples():
            strongest = _strongest(results.lifts, domain, head, best)
            how = "chosen without test images"
            findings += _findings(results, domain, head, best.representation, best.layer, how, strongest)
    return findings


def _findings(results, domain, head, representation, layer, how, lifts) -> list[Finding]:
    """One finding, or none where the comparison has no such accuracy."""
    means = results.comparison
    rows = means[(means["domain"] == domain) & (means["head"] == head) & (means["layer"] == layer)]
    return [
        Finding(
            how, domain, head, representation, layer, row.accuracy, row.accuracy_low, row.accuracy_high,
            results.chance.get(domain), lifts,
        )
        for row in rows[rows["representation"] == representation].itertuples()
    ]  # fmt: skip


def sentence(finding: Finding) -> str:
    """One sentence without numbers, which the card has; it says `beats` of a win and of nothing else."""
    start = (
        f"On {DOMAINS[finding.domain].phrase}, {with_layer(finding.objective, finding.layer)}, the objective and layer "
        f"{finding.how},"
    )
    parts = [_comparison(kind, lift) for kind, lift in finding.lifts.items()]
    return f"{start} {', and '.join(parts)}." if parts else f"{start} had nothing to be compared with."


def _comparison(kind: str, lift: pd.Series) -> str:
    opponent = f"{kind}{', ' if kind else ''}{with_layer(lift['over'], lift['over_layer'])}"
    words = verdict(lift)
    return f"{words} {opponent}" if words != UNDECIDED else f"shows no difference from {opponent}"


def facts(lift: pd.Series) -> str:
    """A lift's interval and adjusted p; where it is undecided, the minimum detectable lift, too."""
    p, adjusted = probability(lift["p_adjusted"]), "in a fixed sequence" if lift["primary"] == 1 else "by Holm"
    text = f"{points_range(lift['lift_low'], lift['lift_high'])}; p {p} {adjusted}"
    if verdict(lift) == UNDECIDED:
        text += f"; minimum detectable at 80 % power: {percent(lift['minimum_detectable'])} points"
    return text


def _strongest(lifts: pd.DataFrame, domain: str, head: str, subject) -> dict[str, pd.Series]:
    """Of each kind of opponent the one over which the subject's lift is smallest."""
    rows = lifts[(lifts["domain"] == domain) & (lifts["head"] == head)]
    rows = rows[(rows["representation"] == subject.representation) & (rows["layer"] == subject.layer)]
    # Several views may hold this layer: where the best does, its opponents are at their best, too.
    rows = rows[rows["view"] == ("best" if (rows["view"] == "best").any() else "primary")]
    controls = "control" if sees_color(subject.representation) else "lightness-only control"
    groups = {
        "the best pixels with colour": rows[rows["over"].isin(COLOR_PIXELS)],
        f"the best {controls}": rows[~rows["over"].isin([*COLOR_PIXELS, *OBJECTIVES, *LABELLED])],
    }
    return {kind: group.loc[group["lift"].idxmin()] for kind, group in groups.items() if group["lift"].notna().any()}
