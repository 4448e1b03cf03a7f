"""The study in three lines: the verdicts first, and no numbers but the labels and the cost.

1. Does colourising help with few labels, against what, and do all probes agree?
2. Does it matter whether the classes were seen?
3. What would help most, and what did the best network cost?
The first is the primary endpoint and nothing else: it is what the report's first card and the README show.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from stages.probing.tables import DEPTH_HEAD
from stages.study import seen_classes
from stages.study.heads import HEADS
from stages.study.representations import BY_NAME, sees_color
from stages.study.verdicts import BEHIND, UNDECIDED, WIN, verdict
from stages.study.vocabulary import DOMAINS, with_layer

if TYPE_CHECKING:
    from pandas import DataFrame

SAID = {WIN: "yes", BEHIND: "no, it falls behind", UNDECIDED: "not shown"}
SEEN = {
    seen_classes.MATTERS: "yes",
    seen_classes.NEGLIGIBLE: "hardly",
    seen_classes.EQUIVALENT: "no",
    seen_classes.UNDECIDED: "undecided",
}


class Takeaway(NamedTuple):
    """A question, its verdict in a few words, and a sentence or two."""

    question: str
    verdict: str
    text: str

    def __str__(self) -> str:
        return f"{self.question} {self.verdict[:1].upper()}{self.verdict[1:]}. {self.text}".rstrip()


class Pretraining(NamedTuple):
    """What every trained encoder was given: `epochs` of `images` images, `seeds` times."""

    epochs: int
    images: int
    seeds: int


def takeaways(
    lifts: DataFrame,
    accuracy: DataFrame,
    efficiency: DataFrame,
    seen: DataFrame,
    margin: float,
    pretraining: Pretraining,
) -> list[Takeaway]:
    """The three lines; none where no objective was probed.

    Args:
        lifts, accuracy, efficiency, seen: `LIFTS`, `ACCURACY`, `LABEL_EFFICIENCY` and `SEEN_CLASSES` of
            `stages.comparison.tables`.
        margin: `compare.equivalence`, in percentage points.
    """
    primary = lifts[(lifts["primary"] == 1) & (lifts["view"] == "primary")]
    if primary.empty:
        return []
    labels = efficiency.loc[efficiency["shots"] == "all", "labels"].mean()
    return [
        _few_labels(primary, lifts, labels),
        _seen(seen, margin),
        _most(primary.iloc[0], accuracy, efficiency, pretraining),
    ]


def _few_labels(primary: DataFrame, lifts: DataFrame, labels: float) -> Takeaway:
    first = primary.iloc[0]
    said = {row["domain"]: verdict(row) for _, row in primary.iterrows()}
    if len(set(said.values())) == 1:
        words = SAID[next(iter(said.values()))]
    else:
        words = "; ".join(f"on {DOMAINS[domain].phrase}, {SAID[each]}" for domain, each in said.items())
    over = with_layer(first["over"], first["over_layer"])
    described = f"{over} ({BY_NAME[first['over']].description})" if first["over"] in BY_NAME else over
    planes = "colour, too" if sees_color(first["representation"]) else "lightness only"
    text = (
        f"{with_layer(first['representation'], first['layer'])}, which sees {planes}, "
        f"was compared with {described} by the {HEADS[first['head']]}. {_agreement(first, said, lifts)}"
    )
    return Takeaway(f"Does colourising help with {labels:.0f} labels a class?", words, text)


def _agreement(first, said: dict[str, str], lifts: DataFrame) -> str:
    """Whether the other heads have the primary one's verdict on the same layers, each in both domains."""
    same = (lifts["view"] == "primary") & (lifts["representation"] == first["representation"])
    rows = lifts[same & (lifts["over"] == first["over"]) & (lifts["head"] != first["head"])]
    others = [head for head in HEADS if (rows["head"] == head).any()]
    if not others:
        return "No other probe was asked."
    differ = []
    for domain in said:
        by_words: dict[str, list[str]] = {}
        for head in others:
            for _, row in rows[(rows["head"] == head) & (rows["domain"] == domain)].iterrows():
                if (words := verdict(row)) != said[domain]:
                    by_words.setdefault(words, []).append(HEADS[head].removesuffix(" probe"))
        differ += [f"on {DOMAINS[domain].phrase}, {' and '.join(heads)}: {words}" for words, heads in by_words.items()]
    if not differ:
        return "All probes agree."
    return f"Not all probes agree: {'; '.join(differ)}."


def _seen(seen: DataFrame, margin: float) -> Takeaway:
    question = "Does it matter whether the classes were seen?"
    effects = seen[seen["quantity"] == "effect"].set_index("accounts_for")
    if effects.empty:
        return Takeaway(
            question, "not tested", "It takes the control swapped, in pretext.controls and among the probed."
        )
    verdicts = effects["verdict"]
    words = verdicts[seen_classes.IMAGES]
    text = {
        seen_classes.MATTERS: "An encoder that saw a class in pretraining represents it "
        f"{'better' if effects.loc[seen_classes.IMAGES, 'value'] > 0 else 'worse'} than one that did not.",
        seen_classes.NEGLIGIBLE: f"There is a difference, of less than {margin:g} points.",
        seen_classes.EQUIVALENT: f"To have seen them is worth less than {margin:g} points either way.",
        seen_classes.UNDECIDED: f"Neither an effect nor its being within {margin:g} points is shown.",
    }[words]
    if verdicts[seen_classes.CLASSES] != words:
        text += f" For another choice of classes: {verdicts[seen_classes.CLASSES]}."
    return Takeaway(question, SEEN[words], text)


def _most(first, accuracy: DataFrame, efficiency: DataFrame, pretraining: Pretraining) -> Takeaway:
    """The largest of three gains, each a mean of both domains, and the cost of the best encoder.

    More labels are the ridge probe's, the only one that is fitted to few; the other two gains are the primary head's.
    The gains are of test images, and the largest of several is biased upwards by its selection: a hint what to try
    next, not a result.
    """
    name, layer = first["representation"], first["layer"]
    probed = accuracy[accuracy["head"] == first["head"]]
    fixed = probed[probed["view"] == "primary"].groupby("representation")["accuracy"].mean()
    gains = {}
    best = probed[(probed["view"] == "best") & (probed["representation"] == name)]
    if len(best):
        layers = " and ".join(dict.fromkeys(best["layer"]))
        gains[f"another layer ({layers})"] = best["accuracy"].mean() - fixed[name]
    others = fixed.drop(name)
    if len(others):
        gains[f"another representation ({others.idxmax()})"] = others.max() - fixed[name]
    probes = efficiency[efficiency["head"] == DEPTH_HEAD]
    rows = probes[(probes["representation"] == name) & (probes["layer"] == layer)]
    curves = [
        curve.sort_values("labels").drop_duplicates("labels", keep="last")[["labels", "accuracy"]].to_numpy()[-2:]
        for _, curve in rows[rows["view"] == "primary"].groupby("domain")
    ]
    if curves and all(len(curve) > 1 for curve in curves):
        by_domain = [(more - less) / math.log2(labels / fewer) for (fewer, less), (labels, more) in curves]
        gains["twice the labels (for the ridge probe)"] = sum(by_domain) / len(by_domain)
    most, gain = max(gains.items(), key=lambda item: item[1], default=("", 0.0))
    words = most if gain > 0 else "nothing that was compared"
    encoders = [each for each in fixed.index if each in BY_NAME and BY_NAME[each].kind != "pixels"]
    return Takeaway("What would help most?", words, _cost(fixed[encoders].idxmax(), pretraining))


def _cost(best: str, pretraining: Pretraining) -> str:
    cost = BY_NAME[best].cost
    if cost == "nothing":
        return f"The best network, {best}, cost nothing: it is untrained."
    if cost == "fit":
        return f"The best network, {best}, cost next to nothing: one layer, fitted to patches."
    times = f", {pretraining.seeds} times" if pretraining.seeds > 1 else ""
    epochs = "one epoch" if pretraining.epochs == 1 else f"{pretraining.epochs} epochs"
    views = f"{epochs} of {pretraining.images:,} photographs"
    flops = "as many FLOPs as an autoencoder in " if cost == "flops" else ""
    if cost == "steps":
        return f"The best network, {best}, cost as many steps as {views}, on the labelled photographs alone{times}."
    # Not "without a label": the network of LPIPS may have been trained with labels of other photographs.
    return f"The best network, {best}, cost {flops}{views} without their labels{times}."
