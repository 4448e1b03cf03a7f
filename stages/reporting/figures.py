"""Which numbers go into which chart: a figure has a panel a domain, or an encoder, and one legend."""

import math
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from stages.reporting.answer import BEHIND, WIN, verdict
from stages.reporting.bars import Bar, bar_chart
from stages.reporting.evidence import Evidence
from stages.reporting.forest import Lift, forest_plot
from stages.reporting.lines import Axes, Line, Point, legend_key, line_chart
from stages.reporting.names import DOMAINS, HEADLINE_LAYERS, HEADS, OBJECTIVES
from stages.reporting.numbers import fixed, percent
from stages.reporting.svg import nice_ticks

DENSE = 40  # epochs beyond which a training curve has no markers


@dataclass(frozen=True)
class Panel:
    title: str
    drawing: Markup


@dataclass(frozen=True)
class Figure:
    panels: list[Panel]
    legend: list[Markup]


def accuracy_figure(evidence: Evidence, head: str) -> Figure:
    """Bars of a head's accuracies: the headline layer and, where it is another, the best one."""
    panels = []
    for domain, (slug, title, _) in DOMAINS.items():
        own = evidence.comparison[(evidence.comparison["domain"] == domain) & (evidence.comparison["head"] == head)]
        groups: dict[str, list[Bar]] = {}
        for row in own.itertuples():
            bar = Bar(row.layer, row.accuracy, row.accuracy_low, row.accuracy_high)
            groups.setdefault(row.representation, []).append(bar)
        if groups:
            name = f"{title}: test accuracy of the {HEADS[head]}"
            drawing = bar_chart(f"accuracy-{head}-{slug}", name, groups, evidence.chance.get(domain))
            panels.append(Panel(title, drawing))
    return Figure(panels, [])


def lift_figure(evidence: Evidence, head: str) -> Figure:
    """A forest plot of a head's lifts: the best layers' and, where it is another, the headline layer's."""
    panels = []
    for domain, (slug, title, _) in DOMAINS.items():
        own = evidence.lifts[(evidence.lifts["domain"] == domain) & (evidence.lifts["head"] == head)]
        groups: dict[str, dict[str, list[Lift]]] = {}
        own = own[own["lift"].notna()].sort_values(
            "representation", key=lambda names: ~names.isin(OBJECTIVES), kind="stable"
        )
        for (name, over), rows in own.groupby(["representation", "over"], sort=False):
            rows = rows.sort_values("view").drop_duplicates(["layer", "over_layer"])  # `best` comes first
            groups.setdefault(name, {})[over] = [_lift(row) for _, row in rows.iterrows()]
        if groups:
            name = f"{title}: lifts of the {HEADS[head]}"
            panels.append(Panel(title, forest_plot(f"lifts-{slug}", name, groups)))
    return Figure(panels, [])


def efficiency_figure(evidence: Evidence, view: str) -> Figure:
    """Accuracy against the number of labels a class, for the layers of a view; pixels are in both."""
    panels, names = [], []
    table = evidence.efficiency
    for domain, (slug, title, _) in DOMAINS.items():
        own = table[(table["domain"] == domain) & ((table["view"] == view) | (table["layer"] == "pixels"))]
        own = own.drop_duplicates(["representation", "shots"])
        lines = [
            Line(name, [_point(math.log10(row.labels), row) for row in rows.sort_values("labels").itertuples()])
            for name, rows in own.groupby("representation", sort=False)
        ]
        if not lines:
            continue
        ticks = {math.log10(row.labels): f"{row.labels:.3g}" for row in own.itertuples()}
        axes = Axes(ticks, "labels a class (logarithmic)", "test accuracy (%)", _chance(evidence, domain))
        most = own[own["labels"] == own["labels"].max()]
        spoken = ", ".join(f"{row.representation} {percent(row.accuracy)} %" for row in most.itertuples())
        description = f"Test accuracy with {own['labels'].max():.3g} labels a class, the most: {spoken}."
        name = f"{title}: accuracy against labels a class, {view} layers"
        panels.append(Panel(title, line_chart(f"labels-{view}-{slug}", name, description, lines, axes)))
        names += [line.name for line in lines]
    return Figure(panels, _legend(names))


def depth_figure(evidence: Evidence) -> Figure:
    """Accuracy against depth; a representation of one layer, such as pixels, is a level line."""
    panels, names = [], []
    for domain, (slug, title, _) in DOMAINS.items():
        own = evidence.depth[evidence.depth["domain"] == domain]
        lines = []
        for name, rows in own.groupby("representation", sort=False):
            points = [_point(row.order, row, bool(row.chosen)) for row in rows.sort_values("order").itertuples()]
            lines.append(Line(name, points, level=set(rows["layer"]) == {"pixels"}))
        if not lines:
            continue
        layers = own[own["layer"] != "pixels"]
        ticks = dict(zip(layers["order"], layers["layer"], strict=True))
        axes = Axes(ticks, "layer, from the image to the latents", "test accuracy (%)", _chance(evidence, domain))
        best = own[own["chosen"] == 1]
        spoken = ", ".join(f"{row.representation} {row.layer} {percent(row.accuracy)} %" for row in best.itertuples())
        description = f"Test accuracy at the layer that validation chose: {spoken}."
        drawing = line_chart(f"depth-{slug}", f"{title}: accuracy by layer", description, lines, axes)
        panels.append(Panel(title, drawing))
        names += [line.name for line in lines]
    return Figure(panels, _legend(names))


def training_figure(evidence: Evidence) -> Figure:
    """The loss of each encoder an epoch; losses of different objectives are not of one scale."""
    panels, names = [], []
    for name, losses in evidence.training.items():
        subsets = [subset for subset in ("train", "validation") if subset in losses]
        lines = [
            Line(
                subset, [Point(step, loss) for step, loss in losses[["step", subset]].dropna().itertuples(index=False)]
            )
            for subset in subsets
        ]
        if all(len(line.points) < 2 for line in lines):
            continue
        last = losses.iloc[-1]
        spoken = " and ".join(f"{subset} {fixed(last[subset], 4)}" for subset in subsets)
        description = f"Loss after epoch {last['step']:g}: {spoken}."
        axes = Axes(_epochs(losses["step"]), "epoch", "loss", dense=len(losses) > DENSE)
        panels.append(Panel(name, line_chart(f"training-{name}", f"Training {name}", description, lines, axes)))
        names += subsets
    return Figure(panels, _legend(names))


def probe_figure(evidence: Evidence) -> Figure:
    """Validation accuracy of the conv probes an epoch."""
    panels, names = [], []
    for domain, (slug, title, _) in DOMAINS.items():
        own = evidence.curves[evidence.curves["domain"] == domain]
        lines = [
            Line(name, [Point(row.epoch, 100 * row.validation_accuracy) for row in rows.itertuples()])
            for name, rows in own.groupby("representation", sort=False)
        ]
        if not lines:
            continue
        dense = own["epoch"].nunique() > DENSE
        axes = Axes(_epochs(own["epoch"]), "epoch", "validation accuracy (%)", _chance(evidence, domain), dense)
        last = ", ".join(f"{line.name} {line.points[-1].y:.1f} %" for line in lines)
        description = f"Validation accuracy after the last epoch: {last}."
        drawing = line_chart(f"probes-{slug}", f"{title}: the conv probes' training", description, lines, axes)
        panels.append(Panel(title, drawing))
        names += [line.name for line in lines]
    return Figure(panels, _legend(names))


def has_other_best_layers(evidence: Evidence) -> bool:
    """Whether some encoder's best layer is not its headline layer."""
    return not evidence.comparison["layer"].isin(HEADLINE_LAYERS).all()


def _point(x: float, row, ring: bool = False) -> Point:
    return Point(x, 100 * row.accuracy, 100 * row.accuracy_low, 100 * row.accuracy_high, ring)


def _epochs(epochs: pd.Series) -> dict[float, str]:
    ticks = nice_ticks(epochs.min(), epochs.max(), 8)
    return {tick: f"{tick:g}" for tick in ticks if tick == int(tick)}


def _lift(row: pd.Series) -> Lift:
    kind = {WIN: "win", BEHIND: "behind"}.get(verdict(row), "undecided")
    return Lift(row["view"], row["lift"], row["lift_low"], row["lift_high"], kind)


def _chance(evidence: Evidence, domain: str) -> tuple[float, str] | None:
    chance = evidence.chance.get(domain)
    return None if chance is None else (100 * chance, "guessing")


def _legend(names: list[str]) -> list[Markup]:
    return [legend_key(name) for name in dict.fromkeys(names)]
